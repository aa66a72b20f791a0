import type { Step } from "./step.js";

/**
 * How one family of modems carries datagrams: all that differs between them, as data. The places are those of values.ts.
 */
export interface Dialect {
	readonly name: string;
	/** PDP type of the context that is used (TS 27.007 10.1.1). */
	readonly context: "IP" | "Non-IP";
	/** Octets of the longest datagram it takes. */
	readonly most: number;
	/** Opens a socket; stale ones are closed first. */
	readonly open: readonly Step[];
	/** Sends the payload. */
	readonly send: Step;
	/** Fetches one datagram; a `{count}` of 0, or a refusal, where none waits. None where the modem hands them over by itself. */
	readonly receive?: Step;
	readonly close: readonly Step[];
	/** A datagram waits, after this line: it is fetched, and more until there are none. */
	readonly waiting?: readonly string[];
	/** A datagram, in the line itself. */
	readonly arrived?: readonly string[];
	/** The socket is gone. */
	readonly lost?: readonly string[];
	/** The modem has started anew and knows nothing of what it was told. */
	readonly restarted?: readonly string[];
}

/**
 * Sources: Quectel "BG95&BG77&BG600L Series TCP/IP Application Note" 2.3 and 3.3; u-blox "SARA-R4 series AT commands
 * manual" UBX-17003787 R16, 19; Nordic Semiconductor "Serial Modem" (ncs-serial-modem), doc/SOCKET_AT_commands.rst;
 * TS 27.007 Release 18, 10.1.43 and 10.1.44. None of these has been tried on a modem.
 */
export const DIALECTS = {
	quectel: {
		name: "quectel",
		context: "IP",
		most: 1460,
		open: [
			{ command: "AT+QICLOSE=0", mayFail: true },
			{ command: 'AT+QICSGP=1,1,"{apn}"', onlyWith: "apn" },
			// Refused where the context is active already.
			{ command: "AT+QIACT=1", mayFail: true, within: 150_000 },
			{
				command: 'AT+QIOPEN=1,0,"UDP","{address}",{port},0,0',
				later: { good: "+QIOPEN: 0,0", bad: "+QIOPEN: 0,{error}" },
				within: 150_000,
			},
		],
		send: { command: "AT+QISEND=0,{length}", prompt: ">", final: "SEND OK", failure: "SEND FAIL", within: 120_000 },
		receive: { command: "AT+QIRD=0,1500", reply: ["+QIRD: {count}"], data: "octets" },
		close: [{ command: "AT+QICLOSE=0" }],
		waiting: ['+QIURC: "recv",0'],
		lost: ['+QIURC: "closed",0', '+QIURC: "pdpdeact",1'],
		restarted: ["RDY", "APP RDY"],
	},
	"u-blox": {
		name: "u-blox",
		context: "IP",
		most: 1024,
		open: [
			{ command: "AT+USOCL={socket}", mayFail: true },
			// Data of +USORF as hexadecimal digits; the prompt of +USOST takes octets all the same.
			{ command: "AT+UDCONF=1,1" },
			{ command: "AT+USOCR=17", reply: ["+USOCR: {socket}"] },
		],
		send: {
			command: 'AT+USOST={socket},"{address}",{port},{length}',
			reply: ["+USOST: {=socket}"],
			prompt: "@",
			pause: 50,
		},
		receive: { command: "AT+USORF={socket},1024", reply: ["+USORF: {=socket},*,*,{count},{hex}"] },
		close: [{ command: "AT+USOCL={socket}" }],
		waiting: ["+UUSORF: {=socket}", "+UUSORD: {=socket}"],
		lost: ["+UUSOCL: {=socket}"],
	},
	nordic: {
		name: "nordic",
		context: "IP",
		// Hexadecimal digits are taken up to 1,400 octets.
		most: 1400,
		open: [
			{ command: "AT#XCLOSE", mayFail: true },
			{ command: "AT#XSOCKET=1,2,0", reply: ["#XSOCKET: {socket},2,17"] },
			{ command: "AT#XAPOLL={socket},1,1" },
		],
		send: { command: 'AT#XSENDTO={socket},1,0,"{address}",{port},"{hex}"', reply: ["#XSENDTO: {=socket}"] },
		// Not blocking (64): refused where no datagram waits.
		receive: {
			command: "AT#XRECVFROM={socket},1,64,1",
			reply: ["#XRECVFROM: {=socket},1,{count}"],
			data: "hexadecimal",
		},
		close: [{ command: "AT#XCLOSE={socket}" }],
		waiting: ["#XAPOLL: {=socket},1"],
		lost: ["#XAPOLL: {=socket},8", "#XAPOLL: {=socket},16", "#XAPOLL: {=socket},32"],
		restarted: ["Ready"],
	},
	"non-ip": {
		name: "non-ip",
		context: "Non-IP",
		// TS 24.301 9.9.4.24 allows more; what a modem and its network take is less.
		most: 1358,
		open: [{ command: "AT+CRTDCP=1" }],
		send: { command: 'AT+CSODCP=1,{length},"{hex}"' },
		close: [{ command: "AT+CRTDCP=0" }],
		arrived: ["+CRTDCP: 1,{count},{hex}"],
	},
} as const satisfies Readonly<Record<string, Dialect>>;
