import { expect, test } from "@jest/globals";
import { CachedAnswer } from "../../firmware/emsdp/cached-answer.js";
import { fromHex, toHex } from "../../host-tools/hex.js";

const REQUEST = "01080000000120180113aabbccdd";
const ANSWER = "01080000000121aabbccdd";

test("only octets identical to the request are answered, as many as it had", () => {
	const cached = new CachedAnswer(fromHex(REQUEST), fromHex(ANSWER));
	const buffer = fromHex(`${REQUEST}ffff`);
	const length = REQUEST.length / 2;
	expect(cached.answers(buffer, length)).toBe(true);
	expect([cached.answers(buffer, length - 1), cached.answers(buffer, length + 1)]).toEqual([false, false]);
	for (let bit = 0; bit < 8 * length; bit++) {
		const other = fromHex(REQUEST);
		other[bit >> 3] ^= 1 << (bit & 7);
		expect(cached.answers(other, length)).toBe(false);
	}
});

test("the answer goes out again 8 times, then never", () => {
	const cached = new CachedAnswer(fromHex(REQUEST), fromHex(ANSWER));
	const used = Array.from({ length: 20 }, () => cached.use());
	expect(used).toEqual([...Array(8).fill(true), ...Array(12).fill(false)]);
});

test("asking whether it is a repetition uses nothing up", () => {
	const cached = new CachedAnswer(fromHex(REQUEST), fromHex(ANSWER));
	for (let i = 0; i < 100; i++) cached.answers(fromHex(REQUEST), REQUEST.length / 2);
	expect(cached.use()).toBe(true);
});

test("request and answer are copies: the buffers they stood in are used again", () => {
	const request = fromHex(REQUEST);
	const answer = fromHex(ANSWER);
	const cached = new CachedAnswer(request, answer);
	request.fill(0);
	answer.fill(0);
	expect(cached.answers(fromHex(REQUEST), REQUEST.length / 2)).toBe(true);
	expect(toHex(cached.answer)).toBe(ANSWER);
});
