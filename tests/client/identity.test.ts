import { describe, expect, test } from "@jest/globals";
import { decodeIdentity, encodeIdentity, type Identity } from "../../firmware/client/identity.js";
import { AGREEMENT, SERVICE } from "../../firmware/emsdp/profile.js";
import { plmnForm } from "../../firmware/emsdp/serving-network.js";
import { AKA_ALGORITHM } from "../../firmware/keys/aka.js";
import { offerOf } from "../../host-tools/provision/provision.js";
import { SeededRandom } from "../support/pair.js";

const IDENTITY: Identity = {
	imsi: Uint8Array.of(0x09, 0x10, 0x10, 0x00, 0x00, 0x00, 0x00, 0x10),
	algorithm: AKA_ALGORITHM.milenage,
	credentials: new Uint8Array(32).fill(1),
	sqnMs: Uint8Array.of(0, 0, 0, 0, 1, 0),
	hseAddress: "127.0.0.1",
	hsePort: 33163,
	offer: offerOf(AGREEMENT.epsAka, SERVICE.confidential),
	easId: new TextEncoder().encode("eas.example"),
	servingNetwork: plmnForm("001", "01"),
	concealment: new Uint8Array(0),
};

describe("the identity in the store", () => {
	test("comes back as it was", () => {
		expect(decodeIdentity(encodeIdentity(IDENTITY))).toEqual(IDENTITY);
		const without = { ...IDENTITY, servingNetwork: new Uint8Array(0), hseAddress: "2001:db8::1" };
		expect(decodeIdentity(encodeIdentity(without))).toEqual(without);
		const concealed = {
			...IDENTITY,
			algorithm: AKA_ALGORITHM.tuak,
			credentials: new Uint8Array(66).fill(3),
			concealment: new Uint8Array(36).fill(4),
		};
		expect(decodeIdentity(encodeIdentity(concealed))).toEqual(concealed);
	});

	test("cut at any place it is refused", () => {
		const record = encodeIdentity(IDENTITY);
		for (let length = 0; length < record.length; length++)
			expect(() => decodeIdentity(record.subarray(0, length))).toThrow(/provision the device again/);
		expect(() => decodeIdentity(Uint8Array.of(...record, 0))).toThrow(/provision/);
	});

	test("octets of any value give an identity or the one error", () => {
		const random = new SeededRandom(11);
		const record = encodeIdentity(IDENTITY);
		for (let i = 0; i < 5000; i++) {
			const changed = record.slice();
			changed[random.next() % changed.length] = random.next() >>> 3;
			try {
				decodeIdentity(changed);
			} catch (error) {
				expect(error).toMatchObject({ name: "ClientError", code: "configuration" });
			}
		}
	});
});
