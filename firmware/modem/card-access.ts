import type { Step } from "./step.js";

/** How a modem lets APDUs through to its card. The payload is the APDU, the data its answer and the status words. */
export interface CardAccess {
	readonly name: string;
	/** EF_DIR as the MT knows it. */
	readonly discover?: Step;
	/** Opens a logical channel to the application whose AID is the payload; without it the APDUs do that. */
	readonly open?: Step;
	readonly transmit: Step;
	readonly close?: Step;
}

const PATIENCE = 20_000;

/** TS 27.007 8.17 (+CSIM), 8.43 (+CGLA), 8.45 (+CCHO), 8.46 (+CCHC), 8.48 (+CUAD). */
export const CARD_ACCESS = {
	csim: {
		name: "csim",
		transmit: { command: 'AT+CSIM={characters},"{hex}"', reply: ["+CSIM: *,{hex}"], within: PATIENCE },
	},
	cgla: {
		name: "cgla",
		discover: { command: "AT+CUAD", reply: ["+CUAD: {hex}"], within: PATIENCE },
		// TS 27.007 has the number alone; modems put the command's name before it.
		open: { command: 'AT+CCHO="{hex}"', reply: ["+CCHO: {session}", "{session}"], within: PATIENCE },
		// The MT sets the channel in the class octet (TS 27.007 8.45, NOTE).
		transmit: { command: 'AT+CGLA={session},{characters},"{hex}"', reply: ["+CGLA: *,{hex}"], within: PATIENCE },
		close: { command: "AT+CCHC={session}", within: PATIENCE },
	},
} as const satisfies Readonly<Record<string, CardAccess>>;
