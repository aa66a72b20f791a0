import { NativeKernel } from "../../kernels/native.js";
import type { Datagram } from "../../ports/datagram.js";
import type { Platform } from "../../ports/platform.js";
import { HostClock } from "./clock.js";
import { HostDatagram } from "./datagram.js";
import { type HostStatistics, host } from "./natives.js";
import { HostRandom } from "./random.js";
import { HostReadings } from "./readings.js";
import { HostStore } from "./store.js";

/** A PC as a device. */
export const platform = {
	kernel: new NativeKernel({
		name: host.kernelName,
		keySetOctets: host.kernelKeySetOctets,
		setKeys: host.kernelSetKeys,
		protect: host.kernelProtect,
		unprotect: host.kernelUnprotect,
		encryptBlocks: host.kernelEncryptBlocks,
		ctr: host.kernelCtr,
		cmac: host.kernelCmac,
		erase: host.kernelErase,
	}),
	clock: new HostClock(),
	random: new HostRandom(),
	store: new HostStore(),
	readings: new HostReadings(),

	/** One at a time: a new one takes the place of an earlier one. @throws Error if there is no way to the address */
	openDatagram(address: string, port: number): Datagram {
		return new HostDatagram(address, port);
	},

	print(text: string): void {
		host.print(text);
	},

	statistics(): HostStatistics {
		return host.statistics();
	},

	exit(status: number): void {
		host.exit(status);
	},
} satisfies Platform;
