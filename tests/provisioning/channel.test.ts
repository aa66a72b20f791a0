import { createCipheriv } from "node:crypto";
import { beforeEach, describe, expect, test } from "@jest/globals";
import { Channel, hkdf, TO_DEVICE, TO_LAPTOP } from "../../firmware/provisioning/channel.js";
import { checkValues } from "../../firmware/provisioning/check-value.js";
import { fromHex, toHex } from "../../host-tools/hex.js";
import { loadKernel } from "../../host-tools/kernel.js";

const kernel = loadKernel();

test("HKDF-SHA-256 as in RFC 5869 A.1", () => {
	const info = fromHex("f0f1f2f3f4f5f6f7f8f9");
	expect(toHex(hkdf(new Uint8Array(22).fill(0x0b), fromHex("000102030405060708090a0b0c"), info, 42))).toBe(
		"3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
	);
});

test("check values are the beginning of the CMAC of zeros, for each 16 octets and for what is left", () => {
	// Key and subkey K1 of RFC 4493 4: the CMAC of one whole block of zeros is K1, enciphered.
	const key = fromHex("2b7e151628aed2a6abf7158809cf4f3c");
	const k1 = fromHex("fbeed618357133667c85e08f7236a8de");
	const expected = createCipheriv("aes-128-ecb", key, null).update(k1).subarray(0, 3).toString("hex");
	const values = checkValues(kernel, Uint8Array.of(...key, ...key, 1));
	expect(values).toHaveLength(9);
	expect(toHex(values.subarray(0, 6))).toBe(expected + expected);
	expect(toHex(values.subarray(6))).not.toBe(expected);
});

describe("the channel", () => {
	let device: Channel;
	let laptop: Channel;
	beforeEach(() => {
		const make = () =>
			new Channel(kernel, new Uint8Array(32).fill(5), new Uint8Array(32).fill(6), new Uint8Array(32).fill(7));
		device = make();
		laptop = make();
	});

	function sealed(channel: Channel, direction: 0 | 1, body = [1, 2, 3, 4]): Uint8Array {
		const contents = Uint8Array.of(1, 3, 9, ...body, ...new Uint8Array(8));
		expect(channel.seal(contents, 3 + body.length, direction)).toBe(contents.length);
		return contents;
	}

	test("carries a body both ways, in order", () => {
		for (let i = 0; i < 3; i++) {
			const there = sealed(laptop, TO_DEVICE);
			expect(toHex(there.subarray(3, 7))).not.toBe("01020304");
			expect(device.open(there, there.length, TO_DEVICE)).toBe(7);
			expect(toHex(there.subarray(0, 7))).toBe("01030901020304");
			const back = sealed(device, TO_LAPTOP);
			expect(laptop.open(back, back.length, TO_LAPTOP)).toBe(7);
		}
	});

	test("takes nothing twice, out of order, reflected, changed or cut", () => {
		const first = sealed(laptop, TO_DEVICE);
		const second = sealed(laptop, TO_DEVICE);
		expect(toHex(first)).not.toBe(toHex(second));
		expect(device.open(second.slice(), second.length, TO_DEVICE)).toBe(-1);
		expect(laptop.open(first.slice(), first.length, TO_LAPTOP)).toBe(-1);
		for (let at = 0; at < first.length; at++) {
			const changed = first.slice();
			changed[at] ^= 1;
			expect(device.open(changed, changed.length, TO_DEVICE)).toBe(-1);
			expect(device.open(first.slice(0, at), at, TO_DEVICE)).toBe(-1);
		}
		expect(device.open(first.slice(), first.length, TO_DEVICE)).toBe(7);
		expect(device.open(first.slice(), first.length, TO_DEVICE)).toBe(-1);
		expect(device.open(second.slice(), second.length, TO_DEVICE)).toBe(7);
	});

	test("another public key, another key", () => {
		const other = new Channel(
			kernel,
			new Uint8Array(32).fill(5),
			new Uint8Array(32).fill(6),
			new Uint8Array(32).fill(8),
		);
		const contents = sealed(other, TO_DEVICE);
		expect(device.open(contents, contents.length, TO_DEVICE)).toBe(-1);
	});
});
