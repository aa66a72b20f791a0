import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import {
	causeOf,
	decodeDocument,
	decodeKey,
	decodeKeyRequest,
	decodeNamed,
	decodeRegistered,
	decodeRegistration,
	encodeDocument,
	encodeEnd,
	encodeKey,
	encodeKeyRequest,
	encodeRegistered,
	encodeRegistration,
	encodeStart,
	LONGEST_DOCUMENT,
	NAMESPACE,
	readEnd,
} from "../../host-tools/eas/annex-b.js";
import type { EasKey } from "../../host-tools/eas/eas-key.js";
import { EasError } from "../../host-tools/eas/errors.js";
import { decodeForwarded, encodeForwarded, MOST_FORWARDED } from "../../host-tools/eas/forwarded.js";
import { DEFAULT_POLICY } from "../../host-tools/hse/policy.js";
import { seeded } from "../emsdp/arbitraries.js";

const octetsOf = (text: string) => new TextEncoder().encode(text);
const key: EasKey = {
	ueId: "imsi-001010000000001",
	sessionId: 0x0a0b0c0d,
	key: Uint8Array.from({ length: 32 }, (_, i) => i),
	configuration: {
		release: 18,
		agreement: 2,
		encryption: 2,
		integrity: 2,
		counterScheme: 1,
		macLength: 4,
		service: 2,
		mode: 1,
		keyId: 3,
		lifetime: 0,
		largestMessage: DEFAULT_POLICY.largestMessage,
	},
	largestMessage: 512,
	uplinkCount: 7,
	downlinkCount: 0xffffffff,
	expiresIn: 0,
};

/** What every decoder may throw, and nothing else. */
function isRefused(decode: () => unknown): boolean {
	try {
		decode();
		return false;
	} catch (error) {
		if (!(error instanceof EasError) || error.code !== "document") throw error;
		return true;
	}
}

describe("documents of Annex B", () => {
	test("decode to what was encoded", () => {
		const registration = { easId: "Zähler <1> & \u{1f50b}", callback: "https://[::1]:5000/best/v1/hse" };
		expect(decodeRegistration(octetsOf(encodeRegistration(registration)))).toEqual(registration);
		const registered = { easSessionId: "0123456789abcdef", expiresIn: 60 };
		expect(decodeRegistered(octetsOf(encodeRegistered(registered)))).toEqual(registered);
		for (const ueId of ["imsi-001010000000001", undefined]) {
			const request = { ueId, sessionId: 0xffffffff, keyId: 7 };
			expect(decodeKeyRequest(octetsOf(encodeKeyRequest(request)))).toEqual(request);
		}
		for (const name of ["EAS_Session_Request", "EAS_Session_Start"] as const)
			expect(decodeKey(decodeNamed(octetsOf(encodeKey(name, key)), name))).toEqual(key);
		for (const cause of [0, 9]) {
			const fields = decodeNamed(octetsOf(encodeStart({ sessionId: 1, keyId: 1 }, cause)), "EAS_Session_Start");
			expect(causeOf(fields)).toBe(cause);
		}
		expect(readEnd(decodeNamed(octetsOf(encodeEnd(5, 0x13)), "EAS_Session_End"))).toEqual({
			sessionId: 5,
			cause: 0x13,
		});
	});

	test("an EAS Session Request as it stands on the wire", () => {
		expect(encodeKeyRequest({ ueId: "imsi-001010000000001", sessionId: 0x0a0b0c0d, keyId: 3 })).toBe(
			`<?xml version="1.0" encoding="UTF-8"?>
<EAS_Session_Request xmlns="urn:best-emsdp:eas:1"><UE_Id>imsi-001010000000001</UE_Id><Session_Id>0a0b0c0d</Session_Id><Key_Id>3</Key_Id></EAS_Session_Request>
`,
		);
	});

	test("any text that XML can carry comes back, the rest is refused", () => {
		fc.assert(
			fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
				const encode = () => encodeDocument({ name: "EAS_Session_Register", fields: { EAS_Id: text, Callback: "x" } });
				// biome-ignore lint/suspicious/noControlCharactersInRegex: what XML 1.0 leaves out
				const isXml = !/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Surrogate}/u.test(text);
				if (isXml) expect(decodeDocument(octetsOf(encode())).fields.EAS_Id).toBe(text);
				else expect(isRefused(encode)).toBe(true);
			}),
			seeded(100),
		);
	});

	const good = `<EAS_Session_End xmlns="${NAMESPACE}"><Session_Id>0a0b0c0d</Session_Id><Cause>19</Cause></EAS_Session_End>`;
	test("the plain form is taken, with white space and a prefix", () => {
		const prefixed = good.replaceAll("<", "<e:").replaceAll("<e:/", "</e:").replace("xmlns=", "xmlns:e=");
		for (const text of [good, good.replaceAll("><", ">\n\t<"), prefixed])
			expect(decodeDocument(octetsOf(text))).toEqual({
				name: "EAS_Session_End",
				fields: { Session_Id: "0a0b0c0d", Cause: "19" },
			});
	});

	for (const [what, text] of [
		["a document type", `<!DOCTYPE x>${good}`],
		[
			"entities that grow",
			`<!DOCTYPE x [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>${good.replace("19", "&b;&b;")}`,
		],
		["an entity of a file", `<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>${good.replace("19", "&a;")}`],
		["an entity that nobody declares", good.replace("19", "&a;")],
		["an instruction", `<?go?>${good}`],
		["a comment", good.replace("19", "1<!-- -->9")],
		["an attribute", good.replace("<Cause>", '<Cause a="b">')],
		["another encoding", `<?xml version="1.0" encoding="UTF-16"?>${good}`],
		["another namespace", good.replace(NAMESPACE, "urn:other")],
		["no namespace", good.replace(` xmlns="${NAMESPACE}"`, "")],
		["a field twice", good.replace("</Session_Id>", "</Session_Id><Cause>19</Cause>")],
		["a field missing", good.replace("<Cause>19</Cause>", "")],
		["a field too many", good.replace("</Session_Id>", "</Session_Id><EAS_PSK>00</EAS_PSK>")],
		["a field of no document", good.replace("</Session_Id>", "</Session_Id><__proto__>00</__proto__>")],
		["an element in a field", good.replace("19", "<Cause>19</Cause>")],
		["text beside the fields", good.replace("</Session_Id>", "</Session_Id>text")],
		["two roots", `${good}${good}`],
		["an unknown root", good.replaceAll("EAS_Session_End", "constructor")],
		["no end", good.slice(0, -1)],
		["nothing", ""],
		["a long field", good.replace("19", "1".repeat(2000))],
		["too many octets", good.replace("19", " ".repeat(LONGEST_DOCUMENT))],
	] as const)
		test(`refused: ${what}`, () => {
			expect(isRefused(() => decodeDocument(octetsOf(text)))).toBe(true);
		});

	test("octets that are not UTF-8 are refused", () => {
		const octets = octetsOf(good);
		octets[octets.indexOf(0x39)] = 0xff;
		expect(isRefused(() => decodeDocument(octets))).toBe(true);
	});

	test("values out of their range are refused, and no error repeats a key", () => {
		const text = encodeKey("EAS_Session_Start", key);
		const hex = Buffer.from(key.key).toString("hex");
		for (const [from, to] of [
			["<Session_Id>0a0b0c0d", "<Session_Id>0A0B0C0D"],
			["<Session_Id>0a0b0c0d", "<Session_Id>0b0c0d"],
			["<Key_Id>3", "<Key_Id>0"],
			["<Key_Id>3", "<Key_Id>8"],
			["<Key_Id>3", "<Key_Id>4"],
			["<UE_Id>imsi-001010000000001</UE_Id>", ""],
			["<Uplink_Count>7", "<Uplink_Count>-1"],
			["<Uplink_Count>7", "<Uplink_Count>4294967296"],
			["<Uplink_Count>7", "<Uplink_Count>7.0"],
			["<Expires_In>0", "<Expires_In>"],
			[hex, `${hex}00`],
			[hex, hex.slice(2)],
			[hex, hex.replace("1f", "zz")],
			["<Configuration>12", "<Configuration>"],
			["<Configuration>1202", "<Configuration>12ff"],
		]) {
			expect(text).toContain(from);
			const decode = () => decodeKey(decodeNamed(octetsOf(text.replace(from, to)), "EAS_Session_Start"));
			expect(isRefused(decode)).toBe(true);
			try {
				decode();
			} catch (error) {
				expect(String(error)).not.toContain(hex.slice(4, 40));
			}
		}
	});

	test("a callback must be HTTPS without more", () => {
		for (const callback of [
			"http://127.0.0.1/",
			"https://user@127.0.0.1/",
			"https://127.0.0.1/?a",
			"https://127.0.0.1/#a",
			"file:///etc/passwd",
			"nothing",
		])
			expect(isRefused(() => decodeRegistration(octetsOf(encodeRegistration({ easId: "a", callback }))))).toBe(true);
		for (const easId of ["", "ü".repeat(33)])
			expect(isRefused(() => decodeRegistration(octetsOf(encodeRegistration({ easId, callback: "https://a/" }))))).toBe(
				true,
			);
	});

	test("any octets, and any changes of a good document, give a value or the one error", () => {
		const samples = [
			good,
			encodeKey("EAS_Session_Request", key),
			encodeRegistration({ easId: "a", callback: "https://a/" }),
		];
		const decoders = [decodeDocument, decodeRegistration, decodeRegistered, decodeKeyRequest].map(
			(decode) => (octets: Uint8Array) => isRefused(() => decode(octets)),
		);
		const change = fc.tuple(fc.nat(400), fc.integer({ min: 0, max: 255 }), fc.boolean());
		fc.assert(
			fc.property(fc.constantFrom(...samples), fc.array(change, { minLength: 1, maxLength: 6 }), (text, changes) => {
				let octets = [...octetsOf(text)];
				for (const [at, value, isCut] of changes)
					octets = isCut ? octets.toSpliced(at % octets.length, 1) : octets.with(at % octets.length, value);
				for (const decode of decoders) decode(Uint8Array.from(octets));
			}),
			seeded(500),
		);
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
				for (const decode of decoders) decode(octets);
				isRefused(() => decodeForwarded(octets));
			}),
			seeded(300),
		);
	});
});

describe("forwarded messages", () => {
	test("decode to what was encoded", () => {
		const message = fc.record({
			count: fc.nat(0xffffffff),
			datagram: fc.uint8Array({ maxLength: 1232 }),
		});
		fc.assert(
			fc.property(fc.array(message, { maxLength: 5 }), (messages) => {
				expect(decodeForwarded(encodeForwarded(messages))).toEqual(messages);
			}),
			seeded(100),
		);
	});

	test("what is cut off, too long or too much is refused", () => {
		const one = encodeForwarded([{ count: 1, datagram: new Uint8Array(10) }]);
		for (let length = 1; length < one.length; length++)
			expect(isRefused(() => decodeForwarded(one.subarray(0, length)))).toBe(true);
		const long = encodeForwarded([{ count: 1, datagram: new Uint8Array(1233) }]);
		expect(isRefused(() => decodeForwarded(long))).toBe(true);
		const many = Array.from({ length: MOST_FORWARDED + 1 }, () => ({ count: 0, datagram: new Uint8Array(0) }));
		expect(isRefused(() => decodeForwarded(encodeForwarded(many)))).toBe(true);
		expect(decodeForwarded(encodeForwarded(many.slice(1)))).toHaveLength(MOST_FORWARDED);
	});
});
