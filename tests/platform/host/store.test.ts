import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { describeHosts, linesOf, newFolder } from "./hosts.js";

describeHosts((host) => {
	test("what is written is there after a restart, readable by its owner only", async () => {
		const store = join(newFolder(), "store");
		const first = `
			host.print(String(host.storeRead("session-1")));
			host.storeWrite("session-1", new Uint8Array([9, 1, 2, 3, 9]).subarray(1, 4));
			host.storeWrite("empty", new Uint8Array(0));
			host.storeWrite("session-1", new Uint8Array([4, 5]));`;
		expect(await linesOf(host, first, { store })).toEqual(["undefined"]);
		const second = `
			const value = host.storeRead("session-1");
			host.print(value + " " + (value instanceof Uint8Array) + " " + host.storeRead("empty").length);
			value[0] = 0;
			host.print(String(host.storeRead("session-1")));
			host.storeDelete("empty");
			host.storeDelete("empty");
			host.print(String(host.storeRead("empty")));`;
		expect(await linesOf(host, second, { store })).toEqual(["4,5 true 0", "4,5", "undefined"]);
		expect(readdirSync(store)).toEqual(["session-1"]);
		expect([...readFileSync(join(store, "session-1"))]).toEqual([4, 5]);
		expect(statSync(join(store, "session-1")).mode & 0o777).toBe(0o600);
	});

	test("values up to 65,536 octets are kept, longer ones refused", async () => {
		const script = `
			const value = new Uint8Array(65536);
			for (let i = 0; i < value.length; i++) value[i] = i * 7;
			host.storeWrite("a", value);
			host.print("" + host.storeRead("a").every((octet, i) => octet === value[i]));
			try { host.storeWrite("a", new Uint8Array(65537)); } catch (error) { host.print(String(error)); }
			host.print("" + host.storeRead("a").length);`;
		const refused = "RangeError: A value has at most 65536 octets.";
		expect(await linesOf(host, script)).toEqual(["true", refused, "65536"]);
	});

	test("keys that could leave the directory or collide are refused", async () => {
		const keys = ["", "..", "../x", "a/b", "a.new", "A", "a b", "ä", "a\0b", "a\n", "x".repeat(33)];
		const script = `
			const keys = ${JSON.stringify(keys)};
			for (const key of keys) {
				for (const action of [() => host.storeRead(key), () => host.storeWrite(key, new Uint8Array(1)),
					() => host.storeDelete(key)]) {
					try { action(); host.print("taken: " + key); } catch (error) { host.print(error.name); }
				}
			}
			host.storeWrite("x".repeat(32), new Uint8Array(1));`;
		const store = join(newFolder(), "store");
		expect(await linesOf(host, script, { store })).toEqual(Array(3 * keys.length).fill("RangeError"));
		expect(readdirSync(store)).toEqual(["x".repeat(32)]);
	});
});
