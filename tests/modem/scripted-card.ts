import { encodeImsi } from "../../firmware/emsdp/imsi.js";
import type { Usim } from "../../firmware/ports/usim.js";

const USIM = Buffer.from("a0000000871002ffffffff8907090000", "hex");
const ISIM = Buffer.from("a0000000871004ffffffff8907090000", "hex");
const RECORD_OCTETS = 38;

/** A record of EF_DIR (TS 102 221 13.1): application template, AID, label, FF up to the record's length. */
function record(aid: Buffer, label: string): Buffer {
	const template = Buffer.concat([
		Buffer.from([0x4f, aid.length]),
		aid,
		Buffer.from([0x50, label.length]),
		Buffer.from(label),
	]);
	return Buffer.concat([Buffer.from([0x61, template.length]), template, Buffer.alloc(RECORD_OCTETS, 0xff)]).subarray(
		0,
		RECORD_OCTETS,
	);
}

export interface CardOptions {
	readonly imsi: string;
	/** The USIM's functions and its SQNs. */
	readonly usim: Usim;
	/** A card that knows the basic channel only. */
	readonly withoutChannels?: boolean;
	/** Status words in place of the IMSI: a PIN is wanted, for instance. */
	readonly imsiStatus?: number;
	/** Status words in place of AUTHENTICATE's answer. */
	readonly authenticateStatus?: number;
}

interface Channel {
	selected: "MF" | "EF_DIR" | "ADF" | "EF_IMSI";
	/** What GET RESPONSE gives. */
	response: Buffer;
}

/** A UICC with a USIM, as T=0 shows it: answers are fetched with GET RESPONSE (TS 102 221 7.3.1). */
export class ScriptedCard {
	readonly directory = Buffer.concat([record(ISIM, "ISIM"), record(USIM, "USIM")]);
	/** The APDUs it was sent. */
	readonly seen: string[] = [];
	private readonly options: CardOptions;
	private readonly channels = new Map<number, Channel>([[0, { selected: "MF", response: Buffer.alloc(0) }]]);

	constructor(options: CardOptions) {
		this.options = options;
	}

	/** Logical channels that are open, the basic one included. */
	get openChannels(): number {
		return this.channels.size;
	}

	/** Opens a channel and selects an application in it, as an MT does. @returns its number, −1 where that fails */
	open(aid: Buffer): number {
		const answer = this.transmit(Buffer.from([0x00, 0x70, 0x00, 0x00, 0x01]));
		if (answer.length !== 3) return -1;
		const number = answer[0];
		const sw1 = this.transmit(Buffer.from([number, 0xa4, 0x04, 0x04, aid.length, ...aid]))[0];
		if (sw1 === 0x61) return number;
		this.close(number);
		return -1;
	}

	close(number: number): boolean {
		return number > 0 && this.channels.delete(number);
	}

	transmit(apdu: Buffer): Buffer {
		this.seen.push(apdu.toString("hex"));
		const channel = this.channels.get(apdu[0] & 3);
		if (channel === undefined) return status(0x6881);
		const [, instruction, p1, p2] = apdu;
		const data = apdu.subarray(5, 5 + apdu[4]);
		if (instruction === 0x70) return this.manage(p1, p2);
		if (instruction === 0xa4) return this.select(channel, p1, p2, data);
		if (instruction === 0xb2) return this.readRecord(channel, p1, apdu[4]);
		if (instruction === 0xb0) return this.readBinary(channel, apdu[4]);
		if (instruction === 0x88) return this.authenticate(channel, p2, data);
		if (instruction === 0xc0) {
			const { response } = channel;
			channel.response = Buffer.alloc(0);
			return response.length === apdu[4] && response.length > 0
				? Buffer.concat([response, status(0x9000)])
				: status(0x6f00);
		}
		return status(0x6d00);
	}

	private manage(p1: number, p2: number): Buffer {
		if (this.options.withoutChannels) return status(0x6e00);
		if (p1 === 0x80) return status(this.close(p2) ? 0x9000 : 0x6a86);
		const free = [1, 2, 3].find((number) => !this.channels.has(number));
		if (free === undefined) return status(0x6a81);
		this.channels.set(free, { selected: "MF", response: Buffer.alloc(0) });
		return Buffer.concat([Buffer.from([free]), status(0x9000)]);
	}

	private select(channel: Channel, p1: number, p2: number, data: Buffer): Buffer {
		const file = data.toString("hex");
		if (p1 === 0x08 && file === "2f00") channel.selected = "EF_DIR";
		else if (p1 === 0x04 && data.length >= 7 && USIM.subarray(0, data.length).equals(data)) channel.selected = "ADF";
		else if (p1 === 0x00 && file === "6f07" && channel.selected !== "MF") channel.selected = "EF_IMSI";
		else return status(0x6a82);
		if (p2 === 0x0c) return status(0x9000);
		channel.response = Buffer.from("6202820278", "hex");
		return status(0x6100 | channel.response.length);
	}

	private readRecord(channel: Channel, number: number, length: number): Buffer {
		if (channel.selected !== "EF_DIR") return status(0x6986);
		const start = (number - 1) * RECORD_OCTETS;
		if (start >= this.directory.length) return status(0x6a83);
		if (length !== RECORD_OCTETS) return status(0x6c00 | RECORD_OCTETS);
		return Buffer.concat([this.directory.subarray(start, start + RECORD_OCTETS), status(0x9000)]);
	}

	private readBinary(channel: Channel, length: number): Buffer {
		const { imsi, imsiStatus } = this.options;
		if (channel.selected !== "EF_IMSI") return status(0x6986);
		if (imsiStatus !== undefined) return status(imsiStatus);
		if (length !== 9) return status(0x6c09);
		return Buffer.concat([Buffer.from([8]), encodeImsi(imsi) ?? Buffer.alloc(8), status(0x9000)]);
	}

	private authenticate(channel: Channel, p2: number, data: Buffer): Buffer {
		if (channel.selected !== "ADF" && channel.selected !== "EF_IMSI") return status(0x6985);
		if (p2 !== 0x81) return status(0x9864);
		if (data.length !== 34 || data[0] !== 16 || data[17] !== 16) return status(0x6700);
		if (this.options.authenticateStatus !== undefined) return status(this.options.authenticateStatus);
		let answer = status(0x6f00);
		this.options.usim.authenticate(data.subarray(1, 17), data.subarray(18, 34), (result) => {
			if (result.status === "MAC failure") answer = status(0x9862);
			else {
				channel.response =
					result.status === "success"
						? Buffer.concat([Buffer.from([0xdb]), ...[result.res, result.ck, result.ik].flatMap(withLength)])
						: Buffer.concat([Buffer.from([0xdc]), ...withLength(result.auts)]);
				answer = status(0x6100 | channel.response.length);
			}
		});
		return answer;
	}
}

function status(words: number): Buffer {
	return Buffer.from([words >> 8, words & 0xff]);
}

function withLength(octets: Uint8Array): Uint8Array[] {
	return [Uint8Array.of(octets.length), octets];
}
