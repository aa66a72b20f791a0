import UDP from "embedded:io/socket/udp";
import * as storage from "embedded:storage/files";
import config from "mc/config";
import Time from "time";
import Timer from "timer";
import type { Datagram } from "../../ports/datagram.js";
import type { Platform } from "../../ports/platform.js";
import { TickClock } from "./clock.js";
import { UdpDatagram, type UdpDatagramOptions } from "./datagram.js";
import { kernel } from "./kernel.js";
import { SystemRandom } from "./random.js";
import { SimulatedReadings } from "./readings.js";
import { FileStore, type StoreDirectory } from "./store.js";

// The SDK's own declarations lack a socket's close() and the root directory.
const io = UDP as unknown as UdpDatagramOptions["io"];
const files = (storage as unknown as { default: StoreDirectory }).default;

/** A Moddable target with files, such as the simulator: the outside things of the firmware, and the kernel. */
export const platform = {
	kernel,
	clock: new TickClock({ time: Time, timer: Timer }),
	random: new SystemRandom(),
	store: new FileStore({ files, path: String(config.store) }),
	// A number given on mcconfig's command line arrives as a string.
	readings: new SimulatedReadings({ timer: Timer, interval: Number(config.readingInterval) }),

	/** @throws RangeError if the address is no IPv4 address or the port none */
	openDatagram(address: string, port: number): Datagram {
		return new UdpDatagram({ io, address, port });
	},

	/** One line on the debugger's console, or on standard output where there is none. */
	print(text: string): void {
		trace(text, "\n");
	},

	// An attempt that nobody answers lasts up to 93 s by itself.
	retry: { first: 10_000, longest: 3_600_000 },

	/** Nothing: a device has nowhere to go. */
	exit(_status: number): void {},
} satisfies Platform;
