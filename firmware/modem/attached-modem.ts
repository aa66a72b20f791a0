import type { Clock } from "../ports/clock.js";
import type { Datagram } from "../ports/datagram.js";
import type { Serial } from "../ports/serial.js";
import type { AuthenticationResult, Usim } from "../ports/usim.js";
import { Modem, type ModemEvent, type ModemOptions } from "./modem.js";
import { FAILURES } from "./setup.js";

export interface AttachedModemOptions extends ModemOptions {
	readonly serial: Serial;
	readonly clock: Clock;
	/** A line of JSON for whoever watches the device. */
	print(text: string): void;
}

/** A modem on a serial line: {@link Modem} with its line and clock attached, and the two ports that it serves. */
export class AttachedModem implements Usim {
	private readonly options: AttachedModemOptions;
	private readonly modem: Modem;
	private readonly buffer = new Uint8Array(256);
	private datagram: ModemDatagram | undefined;
	private onImsi: ((imsi: Uint8Array | undefined) => void) | undefined;
	private onResult: ((result: AuthenticationResult) => void) | undefined;
	private isDraining = false;
	private deadline: number | undefined;

	constructor(options: AttachedModemOptions) {
		const { serial, clock } = options;
		this.options = options;
		this.modem = new Modem(options);
		serial.onReadable = () => this.receive();
		clock.onDeadline = () => {
			this.deadline = undefined;
			this.modem.handleTimeout(clock.now());
			this.drain();
		};
	}

	/**
	 * One at a time: a new one takes the place of an earlier one. What is sent before the modem is ready waits for it.
	 * @throws RangeError if the address is not numeric, or the port none of 1 to 65,535; non-IP data has no use for either
	 */
	openDatagram(address: string, port: number): Datagram {
		if (this.options.dialect.context === "IP") checkAddress(address, port);
		this.datagram?.forget();
		const { modem, options } = this;
		const datagram = new ModemDatagram({
			read: (into) => {
				const length = modem.readDatagram(options.clock.now(), into);
				this.drain();
				return length;
			},
			write: (octets, length) => {
				modem.write(options.clock.now(), octets, length);
				this.drain();
			},
			close: () => {
				this.datagram = undefined;
				modem.close(options.clock.now());
				this.drain();
			},
		});
		this.datagram = datagram;
		modem.open(options.clock.now(), address, port);
		this.drain();
		return datagram;
	}

	readImsi(done: (imsi: Uint8Array | undefined) => void): void {
		this.onImsi = done;
		this.modem.readImsi(this.options.clock.now());
		this.drain();
	}

	/** A new challenge takes the place of one that the card has not answered. */
	authenticate(rand: Uint8Array, autn: Uint8Array, done: (result: AuthenticationResult) => void): void {
		this.onResult = done;
		this.modem.authenticate(this.options.clock.now(), rand, autn);
		this.drain();
	}

	private receive(): void {
		const { serial, clock } = this.options;
		const { buffer } = this;
		for (let count = serial.read(buffer); count > 0; count = serial.read(buffer))
			this.modem.receive(clock.now(), buffer, count);
		// CK and IK may have been among it.
		buffer.fill(0);
		this.drain();
	}

	/** Does what the last input brought about, and what that brings about in turn. */
	private drain(): void {
		if (this.isDraining) return;
		this.isDraining = true;
		const { modem, options } = this;
		try {
			for (let again = true; again; ) {
				again = false;
				const octets = modem.takeOutput();
				if (octets > 0) options.serial.write(modem.output, octets);
				for (let event = modem.takeEvent(); event !== undefined; event = modem.takeEvent()) {
					this.tell(event);
					again = true;
				}
				// Whoever does not read it now is told again with the next input.
				if (modem.hasDatagram && this.datagram !== undefined) {
					this.datagram.onReadable?.(1);
					again ||= !modem.hasDatagram;
				}
			}
		} finally {
			this.isDraining = false;
		}
		const { deadline } = modem;
		if (deadline === this.deadline) return;
		this.deadline = deadline;
		options.clock.setDeadline(deadline);
	}

	private tell(event: ModemEvent): void {
		const { onImsi, onResult } = this;
		if (event.kind === "IMSI") {
			this.onImsi = undefined;
			onImsi?.(event.imsi);
		} else if (event.kind === "authentication") {
			this.onResult = undefined;
			onResult?.(event.result);
		} else if (event.kind === "modem open") this.options.print(JSON.stringify({ event: event.kind }));
		else {
			const { kind, failure, command, error } = event;
			this.options.print(JSON.stringify({ event: kind, failure, command, error, why: FAILURES[failure] }));
		}
	}
}

const ADDRESS_CHARACTERS = "0123456789abcdefABCDEF.:";
const LONGEST_ADDRESS = 39;

/** It becomes part of a command: nothing else may get into that. The modem looks at it more closely. */
function checkAddress(address: string, port: number): void {
	let isGood = address.length > 0 && address.length <= LONGEST_ADDRESS;
	for (const character of address) isGood &&= ADDRESS_CHARACTERS.includes(character);
	if (!isGood) throw new RangeError(`"${address}" is neither an IPv4 nor an IPv6 address.`);
	if (!Number.isInteger(port) || port < 1 || port > 65535) throw new RangeError("A port is from 1 to 65535.");
}

interface Line {
	read(into: Uint8Array): number;
	write(octets: Uint8Array, length: number): void;
	close(): void;
}

class ModemDatagram implements Datagram {
	onReadable: ((count: number) => void) | undefined;
	private line: Line | undefined;

	constructor(line: Line) {
		this.line = line;
	}

	read(into: Uint8Array): number {
		return this.line?.read(into) ?? -1;
	}

	write(octets: Uint8Array, length: number): void {
		this.line?.write(octets, length);
	}

	close(): void {
		this.line?.close();
		this.forget();
	}

	/** Another one has taken its place. */
	forget(): void {
		this.line = undefined;
		this.onReadable = undefined;
	}
}
