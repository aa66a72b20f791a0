import type { Datagram } from "../../ports/datagram.js";
import { host } from "./natives.js";

/** The host has one socket: of several objects only the newest is open. */
let newest: HostDatagram | undefined;

export class HostDatagram implements Datagram {
	/** @throws Error if `address` is no IPv4 or IPv6 address, or there is no way to it */
	constructor(address: string, port: number) {
		host.udpOpen(address, port);
		host.onReadable = undefined;
		newest = this;
	}

	get onReadable(): ((count: number) => void) | undefined {
		return newest === this ? host.onReadable : undefined;
	}

	set onReadable(callback: ((count: number) => void) | undefined) {
		if (newest === this) host.onReadable = callback;
	}

	read(into: Uint8Array): number {
		return newest === this ? host.udpRead(into) : -1;
	}

	write(octets: Uint8Array, length: number): void {
		if (newest === this) host.udpWrite(octets, length);
	}

	close(): void {
		if (newest !== this) return;
		newest = undefined;
		host.onReadable = undefined;
		host.udpClose();
	}
}
