import type { Step } from "./step.js";

/** Why a modem does not carry datagrams, and what a person can do about it. */
export const FAILURES = {
	"no answer": "The modem does not answer: is it powered, are the lines crossed, is the speed right?",
	"no SIM": "The SIM is missing, or asks for a PIN: switch its PIN off.",
	context: "The modem does not take the PDP context: is the APN right?",
	"not registered": "No network takes the modem yet: look at the antenna and the subscription. It goes on looking.",
	socket: "The modem opens no way for datagrams: do the dialect and the APN fit?",
	"too long": "A datagram is longer than the modem takes, and was lost.",
	USIM: "The USIM gave no useful answer to AUTHENTICATE.",
} as const;

export type ModemFailure = keyof typeof FAILURES;

/** A stretch of the way from a modem that was just switched on to one that carries datagrams. */
export interface Stage {
	readonly failure: ModemFailure;
	readonly steps: readonly Step[];
	/** Milliseconds until it is tried again; doubled up to `longestPause`. */
	readonly pause: number;
	readonly longestPause: number;
}

/** The stages before the dialect's own (V.250; TS 27.007 8.2, 8.3, 9.1, 10.1.1, 10.1.22). PSM and eDRX are left as they are. */
export const STAGES = {
	wake: {
		failure: "no answer",
		steps: [
			{ command: "AT", within: 1000, tries: 5 },
			{ command: "ATE0" },
			{ command: "AT+CMEE=1", mayFail: true },
			{ command: "AT+CFUN=1", within: 180_000 },
		],
		pause: 5000,
		longestPause: 300_000,
	},
	card: {
		failure: "no SIM",
		steps: [{ command: "AT+CPIN?", reply: ["+CPIN: READY"] }],
		pause: 2000,
		longestPause: 300_000,
	},
	context: {
		failure: "context",
		steps: [
			// Refused by some modems while the context is in use; then it is set already.
			{ command: 'AT+CGDCONT=1,"{context}","{apn}"', onlyWith: "apn", mayFail: true },
			{ command: "AT+CEREG=1", mayFail: true },
		],
		pause: 5000,
		longestPause: 300_000,
	},
	registration: {
		failure: "not registered",
		// 1: home network, 5: roaming.
		steps: [{ command: "AT+CEREG?", reply: ["+CEREG: *,1", "+CEREG: *,5"] }],
		pause: 5000,
		longestPause: 60_000,
	},
} as const satisfies Readonly<Record<string, Stage>>;

/** A change of the registration, which cuts the wait for it short. */
export const REGISTRATION_NEWS: readonly string[] = ["+CEREG: 1", "+CEREG: 5"];

/** The subscription's IMSI (TS 27.007 5.6), where the card cannot be read itself. */
export const IMSI_STEP: Step = { command: "AT+CIMI", reply: ["{digits}"] };
