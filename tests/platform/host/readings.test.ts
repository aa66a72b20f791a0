import { expect, test } from "@jest/globals";
import { describeHosts, linesOf } from "./hosts.js";

function frame(...octets: number[]): Uint8Array {
	return frameOf(Uint8Array.from(octets));
}

function frameOf(octets: Uint8Array): Uint8Array {
	return join(Uint8Array.of(octets.length >> 8, octets.length & 0xff), octets);
}

function join(...parts: Uint8Array[]): Uint8Array {
	return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** Prints each frame as it comes, and the end. */
const printFrames = `
	const into = new Uint8Array(8);
	host.onInput = () => {
		const length = host.inputRead(into);
		host.print(length + ":" + into.subarray(0, Math.max(0, length)));
	};`;

describeHosts((host) => {
	const frames = join(frame(1, 2, 3), frame(), frame(4), frame(5, 6, 7, 8));
	const expected = ["3:1,2,3", "0:", "1:4", "4:5,6,7,8", "-2:"];

	test("frames that arrive together come one by one", async () => {
		expect(await linesOf(host, printFrames, { input: [frames] })).toEqual(expected);
	});

	test.each([1, 2, 3, 5])("frames that arrive in pieces of %i octets come whole", async (size) => {
		const input = [];
		for (let start = 0; start < frames.length; start += size) input.push(frames.subarray(start, start + size));
		expect(await linesOf(host, printFrames, { input, pause: 5 })).toEqual(expected);
	});

	test("a frame that is too long is cut off, and its length is told", async () => {
		const long = join(frameOf(new Uint8Array(300).fill(7)), frame(1));
		const lines = await linesOf(host, printFrames, { input: [long] });
		expect(lines).toEqual(["300:7,7,7,7,7,7,7,7", "1:1", "-2:"]);
	});

	test("the longest frames, many of them, lose nothing", async () => {
		const script = `
			const into = new Uint8Array(65535);
			let sum = 0, count = 0;
			host.onInput = () => {
				for (;;) {
					const length = host.inputRead(into);
					if (length === -1) return;
					if (length === -2) { host.print(count + " " + sum); host.exit(0); }
					count++;
					for (let i = 0; i < length; i += 1000) sum += into[i];
				}
			};`;
		const long = frameOf(new Uint8Array(65535).fill(3));
		const lines = await linesOf(host, script, { input: Array(20).fill(long) });
		expect(lines).toEqual([`20 ${20 * 66 * 3}`]);
	});

	test("a frame that the end cuts short is no frame", async () => {
		const lines = await linesOf(host, printFrames, { input: [join(frame(1), Uint8Array.of(0, 5, 1, 2))] });
		expect(lines).toEqual(["1:1", "-2:"]);
	});

	test("reading without waiting gives -1, and the end stays the end", async () => {
		const script = `
			const into = new Uint8Array(8);
			host.onInput = () => {
				host.onInput = undefined;
				host.print(host.inputRead(into) + " " + host.inputRead(into) + " " + host.inputRead(into));
			};`;
		const lines = await linesOf(host, script, { input: [frame(1)] });
		expect(lines).toEqual([expect.stringMatching(/^1 (-1 -1|-1 -2|-2 -2)$/)]);
	});
});
