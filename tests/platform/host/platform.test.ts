import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";
import { build } from "esbuild";
import { describeHosts, linesOf } from "./hosts.js";

/** A script over the platform's ports, as a bundle. */
async function bundleOf(script: string): Promise<string> {
	const { outputFiles } = await build({
		stdin: {
			contents: `import { platform } from "./platform.ts";\n${script}`,
			resolveDir: fileURLToPath(new URL("../../../firmware/platform/host", import.meta.url)),
			loader: "ts",
		},
		bundle: true,
		write: false,
		format: "iife",
		target: "es2022",
		platform: "neutral",
	});
	return outputFiles[0].text;
}

describeHosts((host) => {
	test("the ports lead to the host: readings, datagrams, clock, store, random, kernel", async () => {
		const server = createSocket("udp4");
		server.on("message", (octets, from) => server.send(octets, from.port, from.address));
		server.bind(0, "127.0.0.1");
		await once(server, "listening");
		const { port } = server.address() as AddressInfo;
		const script = await bundleOf(`
			const { kernel, clock, random, store, readings } = platform;
			const octets = new Uint8Array(16);
			const old = platform.openDatagram("127.0.0.1", 9);
			const datagram = platform.openDatagram("127.0.0.1", ${port});
			old.onReadable = () => platform.print("the old one");
			old.write(octets, 1);
			old.close();
			datagram.onReadable = () => {
				platform.print("datagram of " + datagram.read(octets) + ", the old one has " + old.read(octets));
				datagram.close();
				datagram.close();
				datagram.write(octets, 1);
				platform.print("closed: " + datagram.read(octets));
				clock.onDeadline = () => {
					platform.print("deadline");
					platform.exit(0);
				};
				clock.setDeadline(clock.now() + 1);
			};
			readings.onReadable = () => {
				const length = readings.read(octets);
				if (length < 0) readings.onReadable = undefined;
				else datagram.write(octets, length);
			};
			random.fill(octets);
			store.write("a", octets);
			platform.print("stored: " + (store.read("a")?.join() === octets.join()));
			store.delete("a");
			platform.print("deleted: " + store.read("a"));
			const keySet = kernel.createKeySet();
			kernel.setKeys(keySet, octets, octets);
			kernel.protect(keySet, 1, 4, 6, 20, 4);
			platform.print("unprotected: " + kernel.unprotect(keySet, 1, 4, 6, 20, 4));
			kernel.erase();
		`);
		try {
			const input = [Uint8Array.of(0, 2, 7, 7)];
			await expect(linesOf(host, script, { input })).resolves.toEqual([
				"stored: true",
				"deleted: undefined",
				"unprotected: true",
				"datagram of 2, the old one has -1",
				"closed: -1",
				"deadline",
			]);
		} finally {
			server.close();
		}
	});
});
