import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { WRONG_MAC } from "../../firmware/emsdp/count.js";
import { Header } from "../../firmware/emsdp/header.js";
import { ALGORITHM, COMMANDS, HEADER, LONGEST_MESSAGE, MODE, SERVICE } from "../../firmware/emsdp/profile.js";
import type { Plane } from "../../firmware/emsdp/security-context.js";
import { fromHex, toHex } from "../../host-tools/hex.js";
import { loadKernel } from "../../host-tools/kernel.js";
import { octets, seeded } from "./arbitraries.js";
import { bothEnds, CONFIDENTIAL, photograph, sealed } from "./contexts.js";

const kernel = loadKernel();
const TEXT = new TextEncoder().encode("a reading of some octets");
/** 20 with a cause: a ciphered command. */
const TERMINATE = fromHex("20180113");

/** What a plane finds in a datagram, and the clear contents if the MAC is right. */
function opened(plane: Plane, datagram: Uint8Array, macLength = 4): { count: number; contents: string } {
	kernel.message.set(datagram);
	const header = new Header();
	header.read(kernel.message, datagram.length);
	header.readExtension(kernel.message, datagram.length, plane.headerOctets - HEADER.length);
	const count = plane.open(header.countBits, datagram.length);
	return { count, contents: toHex(kernel.message.subarray(plane.headerOctets, datagram.length - macLength)) };
}

/** Fails unless a datagram is refused, leaves the plane as it was, and itself untouched in the buffer. */
function expectRefused(plane: Plane, datagram: Uint8Array): void {
	const before = photograph(plane);
	expect(opened(plane, datagram).count).toBeLessThan(0);
	expect(photograph(plane)).toEqual(before);
	expect(toHex(kernel.message.subarray(0, datagram.length))).toBe(toHex(datagram));
}

describe.each([4, 8])("M = %d", (macLength) => {
	describe.each([0, 1, 2])("counter scheme %d", (counterScheme) => {
		test("user plane both ways: 10, 11 or 12 octets more with M = 4, each COUNT once", () => {
			const { ue, hse } = bothEnds(kernel, { macLength, counterScheme });
			for (let count = 0; count < 20; count++) {
				for (const [from, to] of [
					[ue, hse],
					[hse, ue],
				]) {
					const payload = TEXT.subarray(0, count);
					const datagram = sealed(kernel, from.user, payload);
					expect(datagram.length).toBe(6 + counterScheme + payload.length + macLength);
					expect(opened(to.user, datagram, macLength)).toEqual({ count, contents: toHex(payload) });
					to.user.received.accept(count);
				}
			}
			expect([ue.user.next, hse.user.next, ue.control.next, hse.control.next]).toEqual([20, 20, 0, 0]);
		});

		test("control plane both ways has no extension", () => {
			const { ue, hse } = bothEnds(kernel, { macLength, counterScheme });
			const datagram = sealed(kernel, ue.control, TERMINATE);
			expect(datagram.length).toBe(6 + TERMINATE.length + macLength);
			expect(opened(hse.control, datagram, macLength)).toEqual({ count: 0, contents: toHex(TERMINATE) });
			const answer = sealed(kernel, hse.control, Uint8Array.of(0x21));
			expect(opened(ue.control, answer, macLength)).toEqual({ count: 0, contents: "21" });
		});
	});

	test("any payload up to 1,232 octets of message comes out as it went in", () => {
		const longest = LONGEST_MESSAGE - HEADER.length - 2 - macLength;
		const { ue, hse } = bothEnds(kernel, { macLength, counterScheme: 2 });
		fc.assert(
			fc.property(fc.oneof(octets(0, 40), octets(longest)), (payload) => {
				const count = ue.user.next;
				const datagram = sealed(kernel, ue.user, payload);
				expect(opened(hse.user, datagram, macLength)).toEqual({ count, contents: toHex(payload) });
				hse.user.received.accept(count);
			}),
			seeded(100),
		);
	});

	test("every single-bit error is refused", () => {
		const { ue, hse } = bothEnds(kernel, { macLength, counterScheme: 1 });
		const datagram = sealed(kernel, ue.user, TEXT);
		for (let bit = 0; bit < 8 * datagram.length; bit++) {
			const spoilt = datagram.slice();
			spoilt[bit >> 3] ^= 1 << (bit & 7);
			// Type and RFU are the header's: with another type there is no message.
			if (bit >> 3 > 0 && bit !== 8 + 6) expectRefused(hse.user, spoilt);
		}
		expect(opened(hse.user, datagram, macLength).count).toBe(0);
	});
});

test("a MAC of 8 octets begins with the MAC of 4", () => {
	const short = sealed(kernel, bothEnds(kernel).ue.user, TEXT);
	const long = sealed(kernel, bothEnds(kernel, { macLength: 8 }).ue.user, TEXT);
	expect(toHex(long).slice(0, -8)).toBe(toHex(short));
});

describe("refused, with nothing moved", () => {
	const { ue, hse } = bothEnds(kernel);
	const other = bothEnds(kernel, {}, 2);
	const user = sealed(kernel, ue.user, TEXT);
	const control = sealed(kernel, ue.control, TERMINATE);

	test("a message on the other plane", () => {
		expectRefused(hse.control, user);
		expectRefused(hse.user, control);
	});

	test("a message sent back to its sender", () => {
		expectRefused(ue.user, user);
		expectRefused(ue.control, control);
	});

	test("a message under other keys", () => {
		expectRefused(other.hse.user, user);
		expectRefused(other.hse.control, control);
	});

	test("UP of one mode under the keys of the other; CP is the same in both", () => {
		const endToEnd = bothEnds(kernel, { mode: MODE.ueToEas });
		expectRefused(endToEnd.hse.user, user);
		expectRefused(hse.user, sealed(kernel, endToEnd.ue.user, TEXT));
		expect(opened(endToEnd.hse.control, control).count).toBe(0);
	});

	test("a message whose COUNT was taken before", () => {
		const ends = bothEnds(kernel, { counterScheme: 0 });
		const datagram = sealed(kernel, ends.ue.user, TEXT);
		ends.hse.user.received.accept(opened(ends.hse.user, datagram).count);
		expectRefused(ends.hse.user, datagram);
	});

	test("a message sent with a COUNT that the receiver does not try", () => {
		const ends = bothEnds(kernel);
		ends.ue.user.next = 64;
		expectRefused(ends.hse.user, sealed(kernel, ends.ue.user, TEXT));
		ends.hse.user.next = 32;
		expectRefused(ends.ue.user, sealed(kernel, ends.hse.user, TEXT));
	});

	test("fewer octets than a header and a MAC: no verification at all", () => {
		const ends = bothEnds(kernel, { counterScheme: 2, macLength: 8 });
		for (let length = 6; length < 16; length++) {
			kernel.message.set(user.subarray(0, length));
			expect(ends.hse.user.open(0, length)).toBe(WRONG_MAC);
		}
	});

	test("erased keys verify nothing", () => {
		const ends = bothEnds(kernel);
		const datagrams = [sealed(kernel, ends.ue.user, TEXT), sealed(kernel, ends.ue.control, TERMINATE)];
		ends.hse.erase();
		expectRefused(ends.hse.user, datagrams[0]);
		expectRefused(ends.hse.control, datagrams[1]);
	});
});

test("opening alone moves nothing: the caller accepts the COUNT", () => {
	const { ue, hse } = bothEnds(kernel);
	const datagram = sealed(kernel, ue.user, TEXT);
	const before = photograph(hse.user);
	expect([opened(hse.user, datagram).count, opened(hse.user, datagram).count]).toEqual([0, 0]);
	expect(photograph(hse.user)).toEqual(before);
});

test("the HSE tries 8 COUNTs of 3 bits, the UE 4", () => {
	const reach = (sender: Plane, receiver: Plane) =>
		[31, 32, 63, 64].filter((count) => {
			sender.next = count;
			return opened(receiver, sealed(kernel, sender, TEXT)).count === count;
		});
	const { ue, hse } = bothEnds(kernel);
	expect(reach(ue.user, hse.user)).toEqual([31, 32, 63]);
	expect(reach(hse.user, ue.user)).toEqual([31]);
});

test("two messages never share a key stream: COUNT, plane and direction change it", () => {
	const { ue, hse } = bothEnds(kernel);
	const zeros = new Uint8Array(24);
	const command = new Uint8Array(25);
	command[0] = 0x20;
	const streams = [
		sealed(kernel, ue.user, zeros).slice(6, 30),
		sealed(kernel, ue.user, zeros).slice(6, 30),
		sealed(kernel, hse.user, zeros).slice(6, 30),
		sealed(kernel, ue.control, command).slice(7, 31),
		sealed(kernel, hse.control, command).slice(7, 31),
	].map(toHex);
	expect(new Set(streams).size).toBe(5);
	expect(streams).not.toContain(toHex(zeros));
});

describe("what is enciphered", () => {
	// The octets are the same length for each command; whether they are right contents is not looked at here.
	const tail = fromHex("18011300000000000000000000000000");

	test.each(COMMANDS.map(({ command, name }) => [name, command] as const))(
		"in a confidential session, behind the octet of %s (%d)",
		(_name, command) => {
			const isClear = [0x10, 0x11, 0x80].includes(command);
			const { ue, hse } = bothEnds(kernel);
			const contents = Uint8Array.of(command, ...tail);
			for (const [from, to] of [
				[ue, hse],
				[hse, ue],
			]) {
				const datagram = sealed(kernel, from.control, contents);
				expect(datagram[6]).toBe(command);
				expect(toHex(datagram.subarray(7, 7 + tail.length)) === toHex(tail)).toBe(isClear);
				expect(opened(to.control, datagram)).toEqual({ count: 0, contents: toHex(contents) });
			}
		},
	);

	test("with null encryption nothing, on either plane, and the MAC covers it all the same", () => {
		const { ue, hse } = bothEnds(kernel, { encryption: ALGORITHM.null, service: SERVICE.integrity });
		const user = sealed(kernel, ue.user, TEXT);
		expect(toHex(user)).toContain(toHex(TEXT));
		expect(opened(hse.user, user)).toEqual({ count: 0, contents: toHex(TEXT) });
		const control = sealed(kernel, ue.control, TERMINATE);
		expect(toHex(control)).toContain(toHex(TERMINATE));
		control[8] ^= 1;
		expectRefused(hse.control, control);
	});

	test("the whole payload of a UP message, even where it begins like a clear command", () => {
		for (const first of [0x10, 0x11, 0x80]) {
			const payload = Uint8Array.of(first, ...tail);
			const datagram = sealed(kernel, bothEnds(kernel).ue.user, payload);
			expect(toHex(datagram)).not.toContain(toHex(tail));
			expect(toHex(datagram.subarray(6, 6 + payload.length))).not.toBe(toHex(payload));
		}
	});
});

test("COUNT ends at 0xFFFFFFFE", () => {
	const { ue, hse } = bothEnds(kernel);
	ue.user.next = 0xfffffffe;
	hse.user.received.accept(0xfffffffd);
	expect(ue.user.canSend).toBe(true);
	expect(opened(hse.user, sealed(kernel, ue.user, TEXT)).count).toBe(0xfffffffe);
	expect(ue.user.canSend).toBe(false);
});

test("the header names session, Key ID, plane and the low bits of COUNT", () => {
	const { ue } = bothEnds(kernel, { counterScheme: 2 });
	ue.user.next = 0x12345;
	expect(toHex(sealed(kernel, ue.user, TEXT).subarray(0, 8))).toBe("01ad89abcdef2468");
	ue.control.next = 0x12346;
	expect(toHex(sealed(kernel, ue.control, TERMINATE).subarray(0, 7))).toBe("012e89abcdef20");
	expect(CONFIDENTIAL.sessionId).toBe(0x89abcdef);
});
