import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { EmsdpError } from "../../firmware/emsdp/errors.js";
import { decodeMessage, encodeMessage, type Message } from "../../firmware/emsdp/message.js";
import { COMMAND, TAG } from "../../firmware/emsdp/profile.js";

const SEED = 20_26;

/** A message, or the code of the one error class. Anything else that is thrown comes through. */
function outcome(octets: Uint8Array, fromUe: boolean, counterScheme: number): Message | string {
	try {
		return decodeMessage(octets, fromUe, counterScheme);
	} catch (error) {
		if (error instanceof EmsdpError) return error.code;
		throw error;
	}
}

/** Octets that begin like a message more often than chance would have it. */
const octets = fc.oneof(
	fc.uint8Array({ maxLength: 80 }),
	fc
		.tuple(
			fc.constantFrom(0x00, 0x08, 0x3f, 0x80, 0x8f),
			fc.uint8Array({ minLength: 4, maxLength: 4 }),
			fc.constantFrom(...Object.values(COMMAND)),
			fc.array(fc.tuple(fc.constantFrom(...Object.values(TAG), 0x7f, 0x80), fc.uint8Array({ maxLength: 40 })), {
				maxLength: 5,
			}),
		)
		.map(([flags, sessionId, command, tlvs]) =>
			Uint8Array.of(1, flags, ...sessionId, command, ...tlvs.flatMap(([tag, value]) => [tag, value.length, ...value])),
		),
);

describe("decodeMessage", () => {
	test("any octets give a message or the one error class; a message comes back as it was", () => {
		fc.assert(
			fc.property(octets, fc.boolean(), fc.nat(2), (given, fromUe, counterScheme) => {
				const message = outcome(given, fromUe, counterScheme);
				if (typeof message === "string") return;
				const again = encodeMessage(message, counterScheme);
				expect(decodeMessage(again, fromUe, counterScheme)).toEqual(message);
				// Octet-identical where nothing was ignored and the order was ascending.
				if (again.length === given.length) expect([...again].sort()).toEqual([...given].sort());
			}),
			{ seed: SEED, numRuns: 5000 },
		);
	});

	test("a message cut anywhere is an error or a shorter payload", () => {
		const message: Message = {
			plane: "CP",
			keyId: 0,
			sessionId: 0,
			count: 0,
			command: COMMAND.messageReject,
			tlvs: [{ tag: TAG.cause, value: Uint8Array.of(0x0f, 0, 30) }],
		};
		const whole = encodeMessage(message);
		expect(decodeMessage(whole, true)).toEqual(message);
		for (let length = 0; length < whole.length; length++)
			expect(typeof outcome(whole.subarray(0, length), true, 0)).toBe("string");
	});

	test("the codes: what is dropped, what is malformed, what is missing", () => {
		expect(outcome(Uint8Array.of(2, 0, 0, 0, 0, 0, 0x80), true, 0)).toBe("drop");
		expect(outcome(Uint8Array.of(1, 0x80, 0, 0, 0, 0, 1), true, 0)).toBe("drop");
		expect(outcome(Uint8Array.of(1, 8, 0, 0, 0, 1, 0x11), true, 0)).toBe("drop");
		expect(outcome(Uint8Array.of(1, 8, 0, 0, 0, 1, 0x20, 0x18), true, 0)).toBe("malformed");
		expect(outcome(Uint8Array.of(1, 8, 0, 0, 0, 1, 0x20), true, 0)).toBe("tlv-unknown-or-missing");
	});

	test("a value that is too long cannot be encoded", () => {
		const tlvs = [{ tag: TAG.suci, value: new Uint8Array(256) }];
		const message: Message = { plane: "CP", keyId: 1, sessionId: 1, count: 0, command: 0x10, tlvs };
		expect(() => encodeMessage(message)).toThrow(EmsdpError);
	});
});
