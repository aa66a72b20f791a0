import { randomBytes } from "node:crypto";
import { expect, test } from "@jest/globals";
import { loadKernel } from "../../../host-tools/kernel.js";
import { describeHosts, linesOf } from "./hosts.js";

const hex = (octets: Uint8Array) => Buffer.from(octets).toString("hex");

describeHosts((host) => {
	test("the kernel functions give what the WebAssembly kernel gives", async () => {
		const kernel = loadKernel();
		const keySet = kernel.createKeySet();
		const expected: string[] = [];
		const actions: string[] = [];
		/** `from`: what comes before is undefined after the action. */
		const act = (action: string, length: number, run: () => unknown, from = 0) => {
			const before = randomBytes(length);
			kernel.message.set(before);
			const result = run();
			expected.push(`${result} ${hex(kernel.message.subarray(from, length))}`);
			actions.push(`act([${[...before]}], ${from}, (m) => ${action});`);
		};
		for (const length of [8, 20, 23, 64, 200, 1024, 1232]) {
			const [encryptionKey, integrityKey] = [randomBytes(16), randomBytes(16)];
			kernel.setKeys(keySet, encryptionKey, integrityKey);
			actions.push(
				`host.kernelSetKeys(k, new Uint8Array([${[...encryptionKey]}]), new Uint8Array([${[...integrityKey]}]));`,
			);
			const count = randomBytes(4).readUInt32BE();
			for (const macLength of [4, 8]) {
				const given = [count, 0x54, 6, length, macLength] as const;
				act(`host.kernelProtect(k, m, ${given})`, length + macLength, () => kernel.protect(keySet, ...given));
				act(`host.kernelUnprotect(k, m, ${given})`, length + macLength, () => kernel.unprotect(keySet, ...given));
				actions.push(`back(${given});`);
				expected.push("true true");
			}
			act("host.kernelEncryptBlocks(k, m)", 32, () => kernel.encryptBlocks(keySet));
			const bits = Math.min(length, 1224) * 8 - 3;
			const octets = Math.ceil(bits / 8) + 16;
			act(`host.kernelCmac(k, m, ${bits})`, octets, () => kernel.cmac(keySet, bits));
			act(`host.kernelCtr(k, m, ${bits})`, octets, () => kernel.ctr(keySet, bits), 16);
		}
		const script = `
			const k = new Uint8Array(host.kernelKeySetOctets);
			const hex = (octets) => Array.from(octets, (octet) => (256 + octet).toString(16).slice(1)).join("");
			// At an odd offset, and with octets after it that must stay.
			function act(before, from, action) {
				const buffer = new Uint8Array(before.length + 4).fill(0xa5);
				const m = buffer.subarray(3, 3 + before.length);
				m.set(before);
				const result = action(m);
				host.print(result + " " + hex(m.subarray(from)));
				if (buffer[2] !== 0xa5 || buffer[3 + before.length] !== 0xa5) host.print("written outside");
			}
			function back(count, bearer, start, length, macLength) {
				const m = new Uint8Array(length + macLength).map((_, i) => i * 5);
				const before = hex(m.subarray(0, length));
				host.kernelProtect(k, m, count, bearer, start, length, macLength);
				const right = host.kernelUnprotect(k, m, count, bearer, start, length, macLength);
				host.print(right + " " + (hex(m.subarray(0, length)) === before));
			}
			${actions.join("\n")}
			host.kernelErase();`;
		expect(await linesOf(host, script)).toEqual(expected);
	});
});
