import { randomBytes, randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { decodeMessage, encodeMessage } from "../../firmware/emsdp/message.js";
import { CAUSE, CAUSE_NAMES, COMMAND, TAG } from "../../firmware/emsdp/profile.js";
import type { Finding } from "./checks.js";

const PURPOSE = "devices that are to speak with this HSE";
/** Octets of the message that asks: a payload that nobody has keys for, and a MAC that is none. */
const CONTENTS = 12;
/** Times, and milliseconds between two of them. */
const TRIES = 3;
const PATIENCE = 1000;

/**
 * Asks an HSE for a sign of life: a message of a session that it does not know, which it answers with an unprotected 80 and
 * cause 0A (profile section 6, 6). Neither a subscriber nor an authentication vector is touched.
 */
export async function reachHse(host: string, port: number): Promise<Finding> {
	const name = `HSE at ${host} port ${port}`;
	const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
	try {
		const answer = await ask(socket, host, port);
		if (answer === undefined) return { name, purpose: PURPOSE, state: "failed", advice: ADVICE };
		const { cause, milliseconds } = answer;
		const found = `answers after ${milliseconds} ms (${CAUSE_NAMES[cause] ?? `cause ${cause}`})`;
		return { name, purpose: PURPOSE, state: "ok", found };
	} catch (error) {
		return { name, purpose: PURPOSE, state: "failed", advice: adviceOn(error as NodeJS.ErrnoException, host) };
	} finally {
		socket.close();
	}
}

const ADVICE =
	"See that best hse runs there with an --address other than 127.0.0.1, that the port is right, and that no firewall drops UDP.";

/** What a name that stands for no address is told by. */
const UNKNOWN_NAME: readonly (string | undefined)[] = ["ENOTFOUND", "EAI_AGAIN", "ENODATA"];

function adviceOn({ code, message }: NodeJS.ErrnoException, host: string): string {
	if (UNKNOWN_NAME.includes(code))
		return `There is no address for the name ${host} (${code}): see how it is spelt, or give the address.`;
	return `${message}. ${ADVICE}`;
}

function ask(socket: ReturnType<typeof createSocket>, host: string, port: number) {
	return new Promise<{ cause: number; milliseconds: number } | undefined>((resolve, reject) => {
		const sessionId = randomInt(1, 2 ** 32 - 1);
		const payload = Uint8Array.from(randomBytes(CONTENTS));
		const question = encodeMessage({ plane: "UP", keyId: 1, sessionId, count: 0, payload });
		let tries = 0;
		let sentAt = 0;
		const timer = setInterval(send, PATIENCE);
		const finish = (answer: { cause: number; milliseconds: number } | undefined) => {
			clearInterval(timer);
			resolve(answer);
		};
		function send() {
			if (tries++ === TRIES) {
				finish(undefined);
				return;
			}
			sentAt = performance.now();
			socket.send(question, port, host);
		}
		socket.on("error", (error) => {
			clearInterval(timer);
			reject(error);
		});
		socket.on("message", (octets) => {
			const cause = causeOf(octets, sessionId);
			if (cause !== undefined) finish({ cause, milliseconds: Math.ceil(performance.now() - sentAt) });
		});
		send();
	});
}

/** The cause of an unprotected 80 for this session; undefined where the octets are something else. */
function causeOf(octets: Uint8Array, sessionId: number): number | undefined {
	try {
		const message = decodeMessage(octets, false);
		if (message.plane !== "CP" || message.command !== COMMAND.messageReject) return undefined;
		const cause = message.tlvs.find(({ tag }) => tag === TAG.cause)?.value[0];
		return message.sessionId === sessionId && cause === CAUSE.sessionUnknown ? cause : undefined;
	} catch {
		return undefined;
	}
}
