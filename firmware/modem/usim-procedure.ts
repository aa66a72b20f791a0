import { isImsi } from "../emsdp/imsi.js";
import type { AuthenticationResult } from "../ports/usim.js";
import {
	authenticate,
	closeChannel,
	findUsimAid,
	getResponse,
	IMSI_FILE_OCTETS,
	OPEN_CHANNEL,
	readAuthentication,
	readImsi,
	readRecord,
	SW1,
	selectApplication,
	selectDirectory,
	selectImsi,
	USIM_AID,
} from "./apdu.js";
import type { CardAccess } from "./card-access.js";
import { type ReadyStep, ready } from "./step.js";
import type { Values } from "./values.js";

/** Records of EF_DIR that are looked through; a card has one or two. */
const MOST_RECORDS = 10;
const NO_OCTETS: Uint8Array = new Uint8Array(0);

type Phase =
	| "discover"
	| "open"
	| "open channel"
	| "directory"
	| "record"
	| "application"
	| "select IMSI"
	| "read IMSI"
	| "authenticate"
	| "close"
	| "close channel"
	| "over";

/** What is sent in a phase, and which comes next. */
interface Row {
	/** The command of the table; an APDU where it is left out. */
	readonly step?: "discover" | "open" | "close";
	readonly payload?: (procedure: UsimProcedure) => Uint8Array;
	/** Whether 61xx says that the answer is to be fetched; else that is as good as 9000. */
	readonly fetches?: true;
	readonly next: (procedure: UsimProcedure, isGood: boolean) => Phase;
}

const ROWS: Readonly<Record<Exclude<Phase, "over">, Row>> = {
	discover: {
		step: "discover",
		next: (procedure, isGood) => {
			if (isGood) procedure.findAid();
			return "open";
		},
	},
	open: { step: "open", payload: ({ aid }) => aid, next: (procedure, isGood) => (isGood ? procedure.purpose : "over") },
	"open channel": {
		payload: () => OPEN_CHANNEL,
		next: (procedure, isGood) => {
			// A card, or a modem, without logical channels: the basic one is used.
			procedure.channel = isGood && procedure.length > 0 ? procedure.octets[0] & 0x03 : 0;
			return procedure.aid === USIM_AID ? "directory" : "application";
		},
	},
	directory: {
		payload: ({ channel }) => selectDirectory(channel),
		next: (procedure, isGood) => {
			procedure.record = 1;
			return isGood ? "record" : "application";
		},
	},
	record: {
		payload: ({ channel, record }) => readRecord(channel, record),
		fetches: true,
		next: (procedure, isGood) =>
			isGood && !procedure.findAid() && procedure.record++ < MOST_RECORDS ? "record" : "application",
	},
	application: {
		payload: ({ channel, aid }) => selectApplication(channel, aid),
		next: (procedure, isGood) => (isGood ? procedure.purpose : "close channel"),
	},
	"select IMSI": {
		payload: ({ channel }) => selectImsi(channel),
		next: (procedure, isGood) => (isGood ? "read IMSI" : procedure.ending),
	},
	"read IMSI": {
		payload: ({ channel }) => readImsi(channel),
		fetches: true,
		next: (procedure, isGood) => {
			const { octets, length } = procedure;
			if (isGood && length >= IMSI_FILE_OCTETS && isImsi(octets, 1)) procedure.imsi = octets.slice(1, IMSI_FILE_OCTETS);
			return procedure.ending;
		},
	},
	authenticate: {
		payload: ({ channel, rand, autn }) => authenticate(channel, rand, autn),
		fetches: true,
		next: (procedure) => {
			procedure.result = readAuthentication(procedure.octets, procedure.length, procedure.statusWords);
			return procedure.ending;
		},
	},
	close: { step: "close", next: () => "over" },
	"close channel": {
		payload: ({ channel }) => closeChannel(channel),
		next: () => "over",
	},
};

/**
 * Reads the IMSI of a modem's card, or runs AKA on it, command by command. It selects the USIM in a logical channel of its
 * own, so that what the modem itself does with the card goes on beside it, and closes that when it is done. K never
 * leaves the card; CK and IK are erased by whoever is given them.
 */
export class UsimProcedure {
	imsi: Uint8Array | undefined;
	result: AuthenticationResult | undefined;
	/** For the table above. */
	aid: Uint8Array = USIM_AID;
	channel = 0;
	record = 1;
	rand: Uint8Array = NO_OCTETS;
	autn: Uint8Array = NO_OCTETS;
	purpose: "select IMSI" | "authenticate" = "select IMSI";
	octets: Uint8Array = NO_OCTETS;
	length = 0;
	statusWords = 0;
	private readonly transmit: ReadyStep;
	private readonly steps: Readonly<Record<"discover" | "open" | "close", ReadyStep | undefined>>;
	private phase: Phase = "over";
	private apdu: Uint8Array = NO_OCTETS;

	constructor(access: CardAccess) {
		this.transmit = ready(access.transmit);
		const { discover, open, close } = access;
		this.steps = {
			discover: discover && ready(discover),
			open: open && ready(open),
			close: close && ready(close),
		};
	}

	get isOver(): boolean {
		return this.phase === "over";
	}

	beginImsi(): void {
		this.begin("select IMSI");
	}

	beginAuthentication(rand: Uint8Array, autn: Uint8Array): void {
		this.rand = rand;
		this.autn = autn;
		this.begin("authenticate");
	}

	/** The command to run now, whose payload is put into `values`. */
	step(values: Values): ReadyStep {
		const row = ROWS[this.phase as keyof typeof ROWS];
		values.payload = this.apdu;
		values.payloadLength = this.apdu.length;
		return (row.step && this.steps[row.step]) ?? this.transmit;
	}

	/** Takes what the command has brought. @param isDone whether the modem took it */
	handle(isDone: boolean, values: Values): void {
		const row = ROWS[this.phase as keyof typeof ROWS];
		this.octets = values.data;
		if (row.step !== undefined) {
			this.length = isDone ? values.dataLength : 0;
			this.enter(row.next(this, isDone));
			return;
		}
		// Status words that no card gives stand for a modem that refuses the APDU.
		const length = isDone ? Math.min(values.dataLength, values.data.length) : 0;
		this.length = Math.max(length - 2, 0);
		this.statusWords = length < 2 ? 0 : (values.data[length - 2] << 8) | values.data[length - 1];
		const sw1 = this.statusWords >> 8;
		const sw2 = this.statusWords & 0xff;
		if (sw1 === SW1.more && row.fetches) {
			this.apdu = getResponse(this.apdu[0], sw2);
		} else if (sw1 === SW1.length && this.apdu[this.apdu.length - 1] !== sw2) {
			this.apdu = this.apdu.slice();
			this.apdu[this.apdu.length - 1] = sw2;
		} else this.enter(row.next(this, sw1 === SW1.normal || sw1 === SW1.toolkit || sw1 === SW1.more));
	}

	/** Finds the USIM's AID in the octets that came. */
	findAid(): boolean {
		const aid = findUsimAid(this.octets, this.length);
		if (aid !== undefined) this.aid = aid;
		return aid !== undefined;
	}

	/** How the channel is closed. */
	get ending(): Phase {
		if (this.steps.close !== undefined) return "close";
		return this.channel === 0 ? "over" : "close channel";
	}

	private begin(purpose: "select IMSI" | "authenticate"): void {
		this.purpose = purpose;
		this.imsi = undefined;
		this.result = undefined;
		// The card may have been changed since.
		this.aid = USIM_AID;
		this.channel = 0;
		if (this.steps.discover !== undefined) this.enter("discover");
		else this.enter(this.steps.open === undefined ? "open channel" : "open");
	}

	private enter(phase: Phase): void {
		// The basic channel is never closed.
		this.phase = phase === "close channel" && this.channel === 0 ? "over" : phase;
		if (this.phase !== "over") this.apdu = ROWS[this.phase].payload?.(this) ?? NO_OCTETS;
	}
}
