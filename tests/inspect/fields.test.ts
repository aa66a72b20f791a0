import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { fieldsOf, rejectCauseOf } from "../../host-tools/inspect/fields.js";
import { IMSI, Pair } from "../support/pair.js";

/** Names and values, as a person reads them. */
const read = (datagram: Uint8Array, layout?: Parameters<typeof fieldsOf>[1]) =>
	fieldsOf(datagram, layout).map(({ name, value }) => [name, value]);

describe("the fields of a message", () => {
	test("of a Session Request: every TLV in words", () => {
		const pair = new Pair();
		pair.begin();
		expect(read(pair.toHse[0])).toEqual([
			["EMSDP type", "01"],
			["Flags, Key ID, COUNT", "control plane, Key ID 0, COUNT bits 0"],
			["Session ID", "00000000"],
			["Command", "10 Session Request"],
			["01 IMSI", IMSI],
			["03 BEST UE configuration", expect.stringContaining("service 2")],
			["04 Enterprise setup IE", '"eas.example"'],
			["05 Serving network", "0000f110"],
		]);
	});

	test("of a Session Start: its own MAC length", () => {
		for (const length of [4, 8]) {
			const pair = new Pair({ policy: { macLengths: [length] } });
			pair.begin();
			pair.deliverToHse();
			const fields = fieldsOf(pair.toUe[0]);
			expect(fields.map(({ name }) => name).slice(4)).toEqual([
				"10 BEST HSE configuration",
				"11 AKA challenge",
				"17 Request digest",
				"MAC",
			]);
			expect(fields.at(-1)?.length).toBe(length);
		}
	});

	test("of what is enciphered: no more than can be told without keys", () => {
		const pair = new Pair().connect();
		pair.terminate();
		expect(read(pair.toUe[0])[4]).toEqual(["TLVs, enciphered", expect.stringMatching(/^[0-9a-f]{6}$/)]);
		const clear = { counterScheme: 0, macLength: 4, isCiphered: false };
		expect(fieldsOf(pair.send("x"), clear).map(({ name }) => name)).toEqual([
			"EMSDP type",
			"Flags, Key ID, COUNT",
			"Session ID",
			"Payload",
			"MAC",
		]);
	});

	test("whatever the octets: each stands in one field, in order", () => {
		fc.assert(
			fc.property(
				fc.uint8Array({ maxLength: 80 }),
				fc.option(fc.record({ counterScheme: fc.nat(2), macLength: fc.constantFrom(4, 8), isCiphered: fc.boolean() }), {
					nil: undefined,
				}),
				fc.boolean(),
				(octets, layout, isEmsdp) => {
					if (isEmsdp && octets.length > 1) {
						octets[0] = 1;
						octets[1] &= 0xbf;
					}
					let next = 0;
					for (const { offset, length } of fieldsOf(octets, layout)) {
						expect(offset).toBe(next);
						next += length;
					}
					expect(next).toBe(octets.length);
					rejectCauseOf(octets);
				},
			),
			{ seed: 33163 },
		);
	});

	test("the cause of a reject, and of nothing else", () => {
		const pair = new Pair().connect();
		const unknown = pair.send("x").slice();
		unknown[5] ^= 1;
		pair.deliverToHse(unknown);
		expect(rejectCauseOf(pair.toUe[0])).toBe(0x0a);
		expect(rejectCauseOf(unknown)).toBeUndefined();
	});
});
