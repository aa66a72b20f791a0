/** The line to a device's console: a serial port, a pseudo-terminal, or TCP to one. */
import { once } from "node:events";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { DeviceFailure } from "./device-failure.js";

/** What the console runs at (docs/provisioning.md). */
const BAUD_RATE = 115_200;

export interface Line {
	readonly isOpen: boolean;
	onOctets: ((octets: Uint8Array) => void) | undefined;
	/** Called once when the line is gone: unplugged, or closed by the other side. */
	onGone: (() => void) | undefined;
	write(octets: Uint8Array): void;
	close(): Promise<void>;
}

/** `host:port`, unless it is a path or a Windows port. */
const TCP = /^(?!COM\d)([^/\\]+):(\d{1,5})$/;

interface Opened {
	readonly stream: Duplex;
	/** Calls back when the line is free for others. */
	close(done: () => void): void;
}

async function openTcp(host: string, port: number): Promise<Opened> {
	const socket = connect({ host, port });
	socket.setNoDelay(true);
	await once(socket, "connect");
	return { stream: socket, close: (done) => socket.destroy().once("close", done) };
}

async function openSerial(path: string): Promise<Opened> {
	// Loaded only here: it is native code, and most commands do without.
	const { SerialPort } = await import("serialport");
	const port = new SerialPort({ path, baudRate: BAUD_RATE, autoOpen: false });
	await new Promise<void>((resolve, reject) => port.open((error) => (error ? reject(error) : resolve())));
	// What an earlier visitor did not read.
	await new Promise<void>((resolve) => port.flush(() => resolve()));
	return { stream: port, close: (done) => port.close(() => done()) };
}

/**
 * Opens a line.
 * @param place `host:port`, or the path of a serial port or pseudo-terminal
 * @throws DeviceFailure that says why it cannot be
 */
export async function openLine(place: string): Promise<Line> {
	const tcp = TCP.exec(place);
	let opened: Opened;
	try {
		opened = tcp === null ? await openSerial(place) : await openTcp(tcp[1], Number(tcp[2]));
	} catch (error) {
		const why = error instanceof Error ? error.message : String(error);
		throw new DeviceFailure(
			"no port",
			`The port ${place} cannot be opened (${why}): is it the right one, free, and yours to use?`,
		);
	}
	const { stream } = opened;
	let isClosed = false;
	const line: Line = {
		get isOpen() {
			return !isClosed;
		},
		onOctets: undefined,
		onGone: undefined,
		write(octets) {
			if (!isClosed) stream.write(octets.slice());
		},
		async close() {
			if (isClosed) return;
			isClosed = true;
			await new Promise<void>((resolve) => opened.close(resolve));
		},
	};
	stream.on("data", (octets: Uint8Array) => line.onOctets?.(octets));
	stream.on("error", () => {});
	stream.on("close", () => {
		isClosed = true;
		line.onGone?.();
	});
	return line;
}
