/** A console and a laptop on one line, without either of them knowing. */
import type { Identity } from "../../firmware/client/identity.js";
import { AGREEMENT, SERVICE } from "../../firmware/emsdp/profile.js";
import { plmnForm } from "../../firmware/emsdp/serving-network.js";
import type { Kernel } from "../../firmware/kernels/kernel.js";
import { AKA_ALGORITHM } from "../../firmware/keys/aka.js";
import { Console } from "../../firmware/provisioning/console.js";
import { loadKernel } from "../../host-tools/kernel.js";
import { ConsoleClient } from "../../host-tools/provision/console-client.js";
import type { Line } from "../../host-tools/provision/line.js";
import { offerOf } from "../../host-tools/provision/provision.js";
import { MemoryStore, SeededRandom } from "../support/pair.js";

/** Made anew each time: what is written is erased afterwards. */
export function newIdentity(fill = 1): Identity {
	return {
		imsi: Uint8Array.of(0x09, 0x10, 0x10, 0x00, 0x00, 0x00, 0x00, 0x10),
		algorithm: AKA_ALGORITHM.milenage,
		credentials: new Uint8Array(32).fill(fill).fill(fill + 1, 16),
		sqnMs: Uint8Array.of(0, 0, 0, 0, 1, 0),
		hseAddress: "127.0.0.1",
		hsePort: 33163,
		offer: offerOf(AGREEMENT.epsAka, SERVICE.confidential),
		easId: new TextEncoder().encode("eas.example"),
		servingNetwork: plmnForm("001", "01"),
		concealment: new Uint8Array(0),
	};
}

/** As a firmware without TUAK has it. */
export function isUsable(record: Uint8Array): boolean {
	return record[1] === AKA_ALGORITHM.milenage;
}

export const kernel: Kernel = loadKernel();

export interface World {
	readonly store: MemoryStore;
	readonly console: Console;
	readonly line: Line & { unplug(): void };
	readonly client: ConsoleClient;
	/** What becomes of the octets, either way; a laptop's request goes out three times, 5 ms apart. */
	toDevice: (octets: Uint8Array) => Uint8Array;
	toLaptop: (octets: Uint8Array) => Uint8Array;
	/** All that went over the line. */
	readonly heard: Uint8Array[];
}

export function newWorld(store = new MemoryStore(), isOpen = !store.values.has("identity")): World {
	const console = new Console({ kernel, random: new SeededRandom(7), store, isOpen, isUsable });
	let isOpenLine = true;
	const world: World = {
		store,
		console,
		toDevice: (octets) => octets,
		toLaptop: (octets) => octets,
		heard: [],
		line: {
			get isOpen() {
				return isOpenLine;
			},
			onOctets: undefined,
			onGone: undefined,
			write(octets) {
				const arriving = world.toDevice(octets.slice());
				world.heard.push(arriving);
				for (const octet of arriving) {
					const length = console.take(octet);
					if (length === 0) continue;
					const answer = world.toLaptop(console.output.slice(0, length));
					world.heard.push(answer);
					queueMicrotask(() => isOpenLine && world.line.onOctets?.(answer));
				}
			},
			async close() {
				isOpenLine = false;
			},
			unplug() {
				isOpenLine = false;
				world.line.onGone?.();
			},
		},
		get client() {
			return client;
		},
	};
	const client = new ConsoleClient(world.line, kernel, { interval: 5, times: 3 });
	return world;
}
