import { expect, test } from "@jest/globals";
import { describeHosts, linesOf } from "./hosts.js";

/** Values that a native function may be handed and must survive. */
const oddValues = `
	const detached = new Uint8Array(32);
	detached.buffer.transfer ? detached.buffer.transfer() : undefined;
	const shrunk = (() => {
		const buffer = new ArrayBuffer(64, { maxByteLength: 64 });
		const view = new Uint8Array(buffer, 32, 32);
		if (buffer.resize) buffer.resize(16);
		return view;
	})();
	const keySet = new Uint8Array(host.kernelKeySetOctets);
	const values = [
		undefined, null, true, 0, -1, -0.5, 1.5, 4, 8, 15, 16, 255, 256, 1240, 65535, 65536, 2147483647, -2147483648,
		4294967295, 4294967296, 1e300, NaN, Infinity, -Infinity, 10n, "", "16", "127.0.0.1", "key", "\\u0000", "x".repeat(100000),
		Symbol("s"), {}, [], [1, 2, 3], () => 1, { length: 16 }, { valueOf() { throw new Error("called"); } },
		new ArrayBuffer(16), new DataView(new ArrayBuffer(16)), new Uint8Array(0), new Uint8Array(4), new Uint8Array(16),
		new Uint8Array(1240), new Uint8Array(70000), new Uint16Array(16), new Float64Array(16), new Int8Array(16),
		new Uint8Array(new ArrayBuffer(1248), 7, 1240), keySet, detached, shrunk, new Proxy(new Uint8Array(16), {}),
		Object.create(Uint8Array.prototype), Uint8Array, host,
	];`;

/** A deterministic choice, so that a failure can be repeated. */
const random = `
	let seed = 1;
	const random = (below) => (seed = (seed * 1103515245 + 12345) % 2147483648) % below;`;

describeHosts((host) => {
	test("wrong arguments are refused with TypeError or RangeError", async () => {
		const script = `
			const octets = new Uint8Array(16), message = new Uint8Array(64);
			const keySet = new Uint8Array(host.kernelKeySetOctets);
			const cases = {
				noArguments: () => host.kernelProtect(),
				keySetTooShort: () => host.kernelProtect(octets, message, 0, 0, 0, 20, 4),
				messageTooShort: () => host.kernelProtect(keySet, message, 0, 0, 0, 61, 4),
				negative: () => host.kernelProtect(keySet, message, -1, 0, 0, 20, 4),
				tooLarge: () => host.kernelProtect(keySet, message, 4294967296, 0, 0, 20, 4),
				fraction: () => host.kernelProtect(keySet, message, 0.5, 0, 0, 20, 4),
				notANumber: () => host.kernelProtect(keySet, message, NaN, 0, 0, 20, 4),
				text: () => host.kernelProtect(keySet, message, "1", 0, 0, 20, 4),
				cipherStart: () => host.kernelProtect(keySet, message, 0, 0, 21, 20, 4),
				macLength: () => host.kernelProtect(keySet, message, 0, 0, 0, 20, 5),
				beyondTheKernel: () => host.kernelProtect(keySet, new Uint8Array(5000), 0, 0, 0, 1233, 8),
				keyLength: () => host.kernelSetKeys(keySet, octets, octets.subarray(1)),
				encryptBlocks: () => host.kernelEncryptBlocks(keySet, message.subarray(0, 31)),
				ctr: () => host.kernelCtr(keySet, message, 8 * 48 + 1),
				cmac: () => host.kernelCmac(keySet, message, 8 * 48 + 1),
				noOctets: () => host.random("16"),
				wide: () => host.random(new Uint16Array(4)),
				frozenTime: () => host.setAlarm(Infinity),
				noTime: () => host.setAlarm("soon"),
				noText: () => host.print(1),
				noStatus: () => host.exit(256),
				port: () => host.udpOpen("127.0.0.1", 0),
				portTooLarge: () => host.udpOpen("127.0.0.1", 65536),
				noAddress: () => host.udpOpen(undefined, 1),
				lengthBeyond: () => host.udpWrite(octets, 17),
			};
			for (const [name, action] of Object.entries(cases)) {
				try {
					action();
					host.print(name + ": taken");
				} catch (error) {
					const known = error instanceof TypeError ? "TypeError" : error instanceof RangeError ? "RangeError" : "Error";
					host.print(name + ": " + known + ", " + error.message);
				}
			}`;
		expect(await linesOf(host, script)).toEqual([
			"noArguments: TypeError, count must be a number.",
			expect.stringMatching(/^keySetTooShort: RangeError, keySet must have \d+ octets\.$/),
			"messageTooShort: RangeError, message must have at least 65 octets.",
			"negative: RangeError, count must be an integer from 0 to 4294967295.",
			"tooLarge: RangeError, count must be an integer from 0 to 4294967295.",
			"fraction: RangeError, count must be an integer from 0 to 4294967295.",
			"notANumber: RangeError, count must be an integer from 0 to 4294967295.",
			"text: TypeError, count must be a number.",
			"cipherStart: RangeError, cipherStart must be an integer from 0 to 20.",
			"macLength: RangeError, macLength must be 4 or 8.",
			"beyondTheKernel: RangeError, length + macLength must be an integer from 0 to 1240.",
			"keyLength: RangeError, integrityKey must have 16 octets.",
			"encryptBlocks: RangeError, message must have at least 32 octets.",
			"ctr: RangeError, message must have at least 65 octets.",
			"cmac: RangeError, message must have at least 65 octets.",
			"noOctets: TypeError, into must be a Uint8Array.",
			expect.stringMatching(/^wide: TypeError, /),
			"frozenTime: RangeError, at must be finite.",
			"noTime: TypeError, at must be a number.",
			"noText: TypeError, text must be a string.",
			"noStatus: RangeError, status must be an integer from 0 to 255.",
			"port: RangeError, port must not be 0.",
			"portTooLarge: RangeError, port must be an integer from 0 to 65535.",
			"noAddress: TypeError, address must be a string.",
			"lengthBeyond: RangeError, length must be an integer from 0 to 16.",
		]);
	});

	test("a view of a part of its buffer is that part", async () => {
		const script = `
			const buffer = new ArrayBuffer(64);
			const all = new Uint8Array(buffer);
			host.random(new Uint8Array(buffer, 16, 32));
			host.print(all.subarray(0, 16).every((octet) => octet === 0) + " " + all.subarray(16, 48).some((octet) => octet !== 0)
				+ " " + all.subarray(48).every((octet) => octet === 0));`;
		expect(await linesOf(host, script)).toEqual(["true true true"]);
	});

	test("random octets fill long buffers to the end, and differ", async () => {
		const script = `
			const a = new Uint8Array(1000), b = new Uint8Array(1000);
			host.random(a);
			host.random(b);
			host.print([new Set(a).size > 200, a.subarray(990).some((octet) => octet !== 0), a.some((octet, i) => octet !== b[i])].join());`;
		expect(await linesOf(host, script)).toEqual(["true,true,true"]);
	});

	test("no combination of odd values crashes a native function or gets another exception out of it", async () => {
		const script = `${oddValues}${random}
			let calls = 0, refused = 0;
			const shown = host.print;
			const names = Object.getOwnPropertyNames(host).filter((name) => typeof host[name] === "function"
				&& !["exit", "print", "statistics"].includes(name));
			for (let round = 0; round < 40000; round++) {
				const native = host[names[random(names.length)]];
				const given = Array.from({ length: random(9) }, () => values[random(values.length)]);
				calls++;
				try {
					native(...given);
				} catch (error) {
					refused++;
					if (!(error instanceof Error)) shown("no Error: " + String(error));
					else if (error.message.includes("called")) shown("conversion was called");
				}
			}
			host.setAlarm(undefined);
			host.udpClose();
			shown(calls + " " + (refused > 20000));`;
		expect(await linesOf(host, script)).toEqual(["40000 true"]);
	}, 60_000);
});
