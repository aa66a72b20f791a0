import type { SeededRandom } from "../support/pair.js";
import type { ScriptedCard } from "./scripted-card.js";

export type Family = "quectel" | "u-blox" | "nordic" | "non-ip";

export interface ScriptedModemOptions {
	readonly family: Family;
	readonly random: SeededRandom;
	readonly card?: ScriptedCard;
	readonly imsi?: string;
	/** Calls back after so many milliseconds. */
	later(milliseconds: number, action: () => void): void;
	/** Octets to the device. */
	toDevice(octets: Uint8Array): void;
	/** A datagram of the device to the network: address and port are empty for non-IP data. */
	onUplink(datagram: Uint8Array, address: string, port: number): void;
	/** Lines at bad moments, cut anywhere, and pauses. */
	readonly isNoisy?: boolean;
	/** Echo of commands goes on after ATE0. */
	readonly alwaysEchoes?: boolean;
	/** A final result in place of the right one. */
	readonly refuse?: (command: string) => string | undefined;
	/** Milliseconds before the answer. */
	readonly delay?: (command: string) => number;
	/** How often +CEREG? says that it is searching. */
	readonly searches?: number;
	readonly usesBareSession?: boolean;
}

/** Unsolicited lines that speak of nothing the device waits for. */
const NOISE = ["+CSCON: 1", "+CSCON: 0", '+CTZV: "+08"', "+CGEV: ME PDN ACT 1", "RING", "+QIND: SMS DONE"];

const EOL = "\r\n";

/** The modem's side of V.250, TS 27.007 and of one family's socket commands, for tests; it shares no code with the firmware. */
export class ScriptedModem {
	/** Commands as they came. */
	readonly commands: string[] = [];
	private readonly options: ScriptedModemOptions;
	private echo = true;
	private line = "";
	/** Octets of data mode still to come, those that came, and what to do then. */
	private wanted = 0;
	private data: number[] = [];
	private onData: ((data: Buffer) => void) | undefined;
	/** Pieces on their way to the device, in order. */
	private readonly outgoing: Buffer[] = [];
	private isSending = false;
	private isBusy = false;
	private readonly waitingCommands: string[] = [];
	/** Datagrams for the device. */
	private readonly inbox: Buffer[] = [];
	private isOpen = false;
	private address = "";
	private port = 0;
	private socket = 3;
	private searches: number;
	private isArmed = true;
	private hexadecimalMode = false;
	private isReporting = false;

	constructor(options: ScriptedModemOptions) {
		this.options = options;
		this.searches = options.searches ?? 0;
	}

	/** Octets of the device. */
	receive(octets: Uint8Array): void {
		for (const octet of octets) {
			if (this.wanted > 0) {
				this.data.push(octet);
				if (--this.wanted === 0) this.onData?.(Buffer.from(this.data));
				continue;
			}
			if (this.echo || this.options.alwaysEchoes) this.send(Buffer.from([octet]));
			if (octet === 0x0d) this.endCommand();
			else if (octet !== 0x0a) this.line += String.fromCharCode(octet);
		}
	}

	/** A datagram of the network. */
	downlink(datagram: Uint8Array): void {
		if (!this.isOpen) return;
		const data = Buffer.from(datagram);
		if (this.options.family === "non-ip") {
			if (this.isReporting) this.say(`+CRTDCP: 1,${data.length},"${hex(data)}"`);
			return;
		}
		this.inbox.push(data);
		this.tellWaiting();
	}

	/** An unsolicited line. */
	say(text: string): void {
		this.send(Buffer.from(EOL + text + EOL, "latin1"));
	}

	/** A power cut: everything is forgotten. */
	restart(banner: string): void {
		this.echo = true;
		this.isOpen = false;
		this.line = "";
		this.wanted = 0;
		this.waitingCommands.length = 0;
		this.isBusy = false;
		this.inbox.length = 0;
		this.say(banner);
	}

	private tellWaiting(): void {
		const { family } = this.options;
		if (this.inbox.length === 0 || !this.isArmed) return;
		// Each family says so once, until data are read.
		this.isArmed = family === "u-blox";
		if (family === "quectel") this.say('+QIURC: "recv",0');
		else if (family === "u-blox") this.say(`+UUSORF: ${this.socket},${this.inbox[0].length}`);
		else this.say(`#XAPOLL: ${this.socket},1`);
	}

	private endCommand(): void {
		const { line } = this;
		this.line = "";
		// What stands before AT is passed over (V.250 5.2.1).
		const at = line.indexOf("AT");
		if (at < 0) return;
		this.waitingCommands.push(line.slice(at + 2));
		this.next();
	}

	private next(): void {
		if (this.isBusy) return;
		const command = this.waitingCommands.shift();
		if (command === undefined) return;
		this.isBusy = true;
		this.commands.push(`AT${command}`);
		const { delay, random, isNoisy } = this.options;
		const wait = delay?.(`AT${command}`) ?? (isNoisy ? random.next() % 40 : 1);
		this.options.later(wait, () => {
			if (!this.isBusy) return;
			this.disturb();
			const refusal = this.options.refuse?.(`AT${command}`);
			if (refusal !== undefined) this.final(refusal);
			else this.answer(command);
		});
	}

	/** Ends the command. */
	private final(text: string): void {
		this.say(text);
		this.isBusy = false;
		this.disturb();
		this.next();
	}

	private information(text: string, ...more: Buffer[]): void {
		this.send(Buffer.concat([Buffer.from(EOL + text + EOL, "latin1"), ...more]));
		this.disturb();
	}

	/** Lines at a bad moment. */
	private disturb(): void {
		const { random, isNoisy } = this.options;
		while (isNoisy && random.next() % 3 === 0) this.say(NOISE[random.next() % NOISE.length]);
	}

	private prompt(text: string, octets: number, onData: (data: Buffer) => void): void {
		this.send(Buffer.from(EOL + text, "latin1"));
		this.data = [];
		this.wanted = octets;
		this.onData = onData;
	}

	private answer(command: string): void {
		const row = [...COMMON, ...FAMILIES[this.options.family]].find(([start]) => command.startsWith(start));
		if (command === "") this.final("OK");
		else if (row === undefined) this.final("ERROR");
		else row[1](this.accessor, command.slice(row[0].length));
	}

	/** Hands octets to the device, in pieces where it is noisy; nothing overtakes anything. */
	private send(octets: Buffer): void {
		const { random, isNoisy } = this.options;
		for (let rest = octets; rest.length > 0; ) {
			const length = isNoisy ? 1 + (random.next() % rest.length) : rest.length;
			this.outgoing.push(rest.subarray(0, length));
			rest = rest.subarray(length);
		}
		this.pump();
	}

	private pump(): void {
		if (this.isSending) return;
		const piece = this.outgoing.shift();
		if (piece === undefined) return;
		this.isSending = true;
		this.options.later(this.options.isNoisy ? this.options.random.next() % 3 : 0, () => {
			this.isSending = false;
			this.options.toDevice(piece);
			this.pump();
		});
	}

	/** What the tables below may do. */
	private readonly accessor: Self = {
		modem: this,
		ok: (text) => {
			if (text !== undefined) this.information(text);
			this.final("OK");
		},
		final: (text) => this.final(text),
		information: (text, ...more) => this.information(text, ...more),
		prompt: (text, octets, onData) => this.prompt(text, octets, onData),
		uplink: (datagram, address, port) => this.options.onUplink(datagram, address ?? this.address, port ?? this.port),
		setEcho: (on) => {
			this.echo = on;
		},
		isRegistered: () => this.searches-- <= 0,
		imsi: () => this.options.imsi ?? "001010000000001",
		open: (address, port) => {
			this.isOpen = true;
			this.isArmed = true;
			this.inbox.length = 0;
			this.address = address;
			this.port = port;
		},
		close: () => {
			const wasOpen = this.isOpen;
			this.isOpen = false;
			return wasOpen;
		},
		isOpen: () => this.isOpen,
		socket: this.socket,
		take: () => {
			const datagram = this.inbox.shift();
			this.isArmed = this.options.family === "u-blox" || datagram === undefined || this.options.family === "nordic";
			if (this.options.family === "nordic" && this.inbox.length > 0) this.options.later(5, () => this.tellWaiting());
			return datagram;
		},
		setHexadecimal: () => {
			this.hexadecimalMode = true;
		},
		isHexadecimal: () => this.hexadecimalMode,
		setReporting: (on) => {
			this.isReporting = on;
		},
		card: () => this.options.card,
		usesBareSession: () => this.options.usesBareSession ?? false,
	};
}

interface Self {
	readonly modem: ScriptedModem;
	ok(information?: string): void;
	final(text: string): void;
	information(text: string, ...more: Buffer[]): void;
	prompt(text: string, octets: number, onData: (data: Buffer) => void): void;
	uplink(datagram: Buffer, address?: string, port?: number): void;
	setEcho(on: boolean): void;
	isRegistered(): boolean;
	imsi(): string;
	open(address: string, port: number): void;
	/** @returns whether it was open */
	close(): boolean;
	isOpen(): boolean;
	readonly socket: number;
	take(): Buffer | undefined;
	setHexadecimal(): void;
	isHexadecimal(): boolean;
	setReporting(on: boolean): void;
	card(): ScriptedCard | undefined;
	usesBareSession(): boolean;
}

type Row = readonly [start: string, answer: (self: Self, rest: string) => void];

const hex = (data: Buffer) => data.toString("hex").toUpperCase();
const unquoted = (text: string) => text.split('"').join("");
const fields = (rest: string) => rest.split(",").map(unquoted);
const octets = (text: string) => Buffer.from(text, "hex");

const COMMON: readonly Row[] = [
	[
		"E0",
		(self) => {
			self.setEcho(false);
			self.ok();
		},
	],
	["+CMEE?", (self) => self.ok("+CMEE: 1")],
	["+CMEE=", (self) => self.ok()],
	["+CFUN=", (self) => self.ok()],
	["+CPIN?", (self) => self.ok("+CPIN: READY")],
	["+CGDCONT=", (self) => self.ok()],
	["+CEREG?", (self) => self.ok(self.isRegistered() ? "+CEREG: 1,5" : "+CEREG: 1,2")],
	["+CEREG=", (self) => self.ok()],
	["+CIMI", (self) => self.ok(self.imsi())],
	[
		"+CSIM=",
		(self, rest) => {
			const [length, command] = fields(rest);
			const card = self.card();
			if (card === undefined || Number(length) !== command.length) self.final("+CME ERROR: 13");
			else {
				const answer = hex(card.transmit(octets(command)));
				self.ok(`+CSIM: ${answer.length},"${answer}"`);
			}
		},
	],
	["+CUAD", (self) => self.ok(`+CUAD: "${hex(self.card()?.directory ?? Buffer.alloc(0))}"`)],
	[
		"+CCHO=",
		(self, rest) => {
			const channel = self.card()?.open(octets(unquoted(rest))) ?? -1;
			// A session is not a channel.
			if (channel < 0) self.final("+CME ERROR: 22");
			else self.ok(`${self.usesBareSession() ? "" : "+CCHO: "}${channel + 40}`);
		},
	],
	[
		"+CGLA=",
		(self, rest) => {
			const [session, length, command] = fields(rest);
			const apdu = octets(command);
			if (Number(length) !== command.length) self.final("+CME ERROR: 50");
			else {
				// The MT sets the channel (TS 27.007 8.45).
				apdu[0] = (apdu[0] & 0xfc) | (Number(session) - 40);
				const answer = hex(self.card()?.transmit(apdu) ?? Buffer.alloc(0));
				self.ok(`+CGLA: ${answer.length},"${answer}"`);
			}
		},
	],
	["+CCHC=", (self, rest) => (self.card()?.close(Number(rest) - 40) ? self.ok() : self.final("+CME ERROR: 21"))],
];

const FAMILIES: Readonly<Record<Family, readonly Row[]>> = {
	quectel: [
		["+QICLOSE=0", (self) => (self.close() ? self.ok() : self.final("ERROR"))],
		["+QICSGP=", (self) => self.ok()],
		["+QIACT=1", (self) => self.final("ERROR")],
		[
			"+QIOPEN=",
			(self, rest) => {
				const [, , kind, address, port, , access] = fields(rest);
				self.ok();
				if (kind !== "UDP" || access !== "0") self.modem.say("+QIOPEN: 0,552");
				else {
					self.open(address, Number(port));
					self.modem.say("+QIOPEN: 0,0");
				}
			},
		],
		[
			"+QISEND=0,",
			(self, rest) => {
				if (!self.isOpen()) self.final("ERROR");
				else
					self.prompt("> ", Number(rest), (data) => {
						self.uplink(data);
						self.final("SEND OK");
					});
			},
		],
		[
			"+QIRD=0,1500",
			(self) => {
				const data = self.take();
				if (data === undefined) self.ok("+QIRD: 0");
				else {
					self.information(`+QIRD: ${data.length}`, data);
					self.final("OK");
				}
			},
		],
	],
	"u-blox": [
		["+USOCL=", (self) => (self.close() ? self.ok() : self.final("+CME ERROR: 4"))],
		[
			"+UDCONF=1,1",
			(self) => {
				self.setHexadecimal();
				self.ok();
			},
		],
		[
			"+USOCR=17",
			(self) => {
				self.open("", 0);
				self.ok(`+USOCR: ${self.socket}`);
			},
		],
		[
			"+USOST=",
			(self, rest) => {
				const [socket, address, port, length] = fields(rest);
				if (!self.isOpen() || Number(socket) !== self.socket || Number(length) > 1024) self.final("+CME ERROR: 4");
				else
					self.prompt("@", Number(length), (data) => {
						self.uplink(data, address, Number(port));
						self.ok(`+USOST: ${socket},${length}`);
					});
			},
		],
		[
			"+USORF=",
			(self, rest) => {
				const data = self.take();
				if (data === undefined) self.ok(`+USORF: ${self.socket},""`);
				else if (!self.isHexadecimal() || !rest.startsWith(`${self.socket},`)) self.final("ERROR");
				else self.ok(`+USORF: ${self.socket},"127.0.0.1",9,${data.length},"${hex(data)}"`);
			},
		],
	],
	nordic: [
		["#XCLOSE", (self) => (self.close() ? self.ok(`#XCLOSE: ${self.socket},0`) : self.final("ERROR"))],
		[
			"#XSOCKET=1,2,0",
			(self) => {
				self.open("", 0);
				self.ok(`#XSOCKET: ${self.socket},2,17`);
			},
		],
		["#XAPOLL=3,1,1", (self) => self.ok()],
		[
			"#XSENDTO=",
			(self, rest) => {
				const [socket, mode, , address, port, data] = fields(rest);
				if (!self.isOpen() || Number(socket) !== self.socket || mode !== "1") self.final("ERROR");
				else {
					self.uplink(octets(data), address, Number(port));
					self.ok(`#XSENDTO: ${socket},0,${data.length / 2}`);
				}
			},
		],
		[
			"#XRECVFROM=3,1,64,",
			(self) => {
				const data = self.take();
				if (data === undefined) self.final("ERROR");
				else {
					self.information(
						`#XRECVFROM: ${self.socket},1,${data.length},"127.0.0.1",9`,
						Buffer.from(`${hex(data)}\r\n`),
					);
					self.final("OK");
				}
			},
		],
	],
	"non-ip": [
		[
			"+CRTDCP=",
			(self, rest) => {
				self.setReporting(rest === "1");
				if (rest === "1") self.open("", 0);
				else self.close();
				self.ok();
			},
		],
		[
			"+CSODCP=",
			(self, rest) => {
				const [context, length, data] = fields(rest);
				if (!self.isOpen() || context !== "1" || Number(length) * 2 !== data.length) self.final("+CME ERROR: 50");
				else {
					self.uplink(octets(data));
					self.ok();
				}
			},
		],
	],
};
