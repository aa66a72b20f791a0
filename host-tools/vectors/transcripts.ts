import { restoreSession } from "../../firmware/client/restore.js";
import type { Ue } from "../../firmware/client/ue.js";
import { RESUME_NONCE_OCTETS } from "../../firmware/emsdp/counters.js";
import { readUint16, readUint32 } from "../../firmware/emsdp/octets.js";
import { CAUSE, COMMAND, HEADER, MODE, RETRANSMISSION, TAG } from "../../firmware/emsdp/profile.js";
import { TlvScan } from "../../firmware/emsdp/tlv.js";
import type { Verdict } from "../../firmware/emsdp/verdict.js";
import type { Kernel } from "../../firmware/kernels/kernel.js";
import type { SoftUsim } from "../../firmware/platform/common/soft-usim.js";
import { Eas } from "../eas/eas.js";
import { fromHex, toHex } from "../hex.js";
import { EasGateway } from "../hse/eas-gateway.js";
import { Hse } from "../hse/hse.js";
import { HseSession } from "../hse/session.js";
import { keysByName } from "./keys.js";
import { parametersOf } from "./session-of-vector.js";
import { expectEqual, Mismatch, type VectorCase } from "./vector-case.js";
import {
	identityOf,
	makeUe,
	policyOf,
	ScriptedCentre,
	ScriptedLoad,
	ScriptedRandom,
	softUsim,
	type UeIdentity,
} from "./world.js";

const SOURCE = "ue";
/** Tags, in hex, whose values the UE draws at random. */
const UE_NONCES: readonly string[] = ["06", "16"];
/** Where the answer to a resume names the next UP COUNT to the UE: behind tag 06, in tag 1A. */
const NEXT_TO_UE = HEADER.length + 1 + 2 + RESUME_NONCE_OCTETS + 2 + 4;
const OUTCOMES: readonly string[] = ["accept", "repetition", "hint", "reject"];

/** What one end did with an input. */
interface Reaction {
	verdict: Verdict;
	readonly datagrams: string[];
	readonly payloads: string[];
}

/** The nonces that the UE draws, in order. */
function ueNonces(steps: readonly VectorCase[]): Uint8Array[] {
	const values = steps
		.filter(({ from }) => from === "UE")
		.flatMap(({ message }) => message?.tlvs ?? [])
		.filter(({ tag }) => UE_NONCES.includes(tag))
		.map(({ value }) => value);
	return [...new Set<string>(values)].map(fromHex);
}

/** One UE, one HSE and the EAS behind it that play a transcript; every octet they make is compared. */
class Play {
	private now = 0;
	private readonly kernel: Kernel;
	private readonly identity: UeIdentity;
	private ue: Ue;
	/** The UE's record in non-volatile storage. */
	private record: Uint8Array | undefined;
	private readonly usim: SoftUsim;
	private readonly hse: Hse;
	private readonly eas: Eas;
	private readonly gateway: EasGateway;
	private readonly centre: ScriptedCentre;
	private readonly load = new ScriptedLoad();
	private readonly random = new ScriptedRandom();
	private sessionId = 0;
	/** Datagrams that were sent and not seen in a step yet, and all that were sent, by sender. */
	private readonly unseen: Record<string, string[]> = { UE: [], HSE: [] };
	private readonly sent: Record<string, Set<string>> = { UE: new Set(), HSE: new Set() };

	constructor(kernel: Kernel, vector: VectorCase) {
		const { given } = vector;
		const identity = identityOf(given);
		this.identity = identity;
		this.random.nonces.push(...ueNonces(vector.steps));
		this.kernel = kernel;
		this.ue = makeUe(kernel, identity, this.random);
		this.usim = softUsim(kernel, given.k, given.opc, given.sqn_ms, identity.identity.value);
		this.centre = new ScriptedCentre(kernel, given, vector.hse_random);
		this.centre.spoilXres = vector.steps.some(({ note }: VectorCase) => note === "the HSE holds another XRES");
		this.hse = new Hse({
			kernel,
			policy: policyOf(given.hse_choice),
			retransmission: RETRANSMISSION,
			load: this.load,
			drawSessionId: () => this.sessionId,
			drawNonce: () => this.centre.drawNonce(),
			fraction: () => 0,
		});
		this.eas = new Eas({ kernel });
		this.gateway = new EasGateway({ hse: this.hse, easKeyPolicy: () => "allow" });
	}

	/** @param later the steps behind it */
	step(step: VectorCase, later: readonly VectorCase[]): void {
		if (step.from === null) {
			const seconds = /^(\d+) s later$/.exec(step.note ?? "")?.[1];
			if (seconds !== undefined) this.now += Number(seconds) * 1000;
			if ((step.note ?? "").startsWith("power cut at the UE")) this.cutPower();
			if (step.note === "the authentication centre has fallen back to an old SQN")
				this.centre.fallBackTo(nextChallenge(later));
			return;
		}
		const { from, datagram } = step;
		if (!this.take(from, datagram) && !this.isForeign(step)) this.produce(step);
		if (!step.delivered) return;
		this.prepare(step.result);
		const reaction = this.deliver(from === "UE" ? "HSE" : "UE", fromHex(datagram));
		this.compare(step, reaction);
	}

	/** The UE goes on with what its storage holds. */
	private cutPower(): void {
		const { record } = this;
		if (record === undefined) throw new Mismatch("the UE has stored no session");
		this.ue = makeUe(this.kernel, this.identity, this.random);
		this.ue.adopt((options, outbox) => restoreSession(record, options, outbox));
	}

	/** What an attacker or the network brings, and not the sender. */
	private isForeign(step: VectorCase): boolean {
		return step.message === undefined || step.result?.outcome === "drop" || (step.note ?? "").startsWith("forged");
	}

	private take(from: string, datagram: string): boolean {
		const at = this.unseen[from].indexOf(datagram);
		if (at >= 0) this.unseen[from].splice(at, 1);
		return at >= 0;
	}

	/** Makes the sender send the datagram of a step: again, or for the first time. */
	private produce({ from, datagram, message }: VectorCase): void {
		const end = from === "UE" ? this.ue : this.hse;
		if (this.sent[from].has(datagram)) {
			// Sent again when it is due; otherwise the network repeats it.
			if (end.deadline === undefined) return;
			this.now = Math.max(this.now, end.deadline);
			end.handleTimeout(this.now);
		} else this.act({ from, message, datagram });
		const { datagrams } = this.drain(from);
		if (!this.take(from, datagram))
			throw new Mismatch(`${from} sends ${datagrams.join(" ") || "nothing"}, expected ${datagram}`);
	}

	private act({ from, message, datagram }: VectorCase): void {
		const content = fromHex(message.content);
		const session = from === "UE" ? this.ue.session : this.hse.session(readUint32(fromHex(datagram), HEADER.sessionId));
		if (message.plane === "UP") {
			if (session === undefined) throw new Mismatch(`${from} has no session to send in`);
			// What was sent in between and never arrived is not in the transcript.
			session.context.user.next = message.count;
			const isEas = session instanceof HseSession && session.identity.configuration.mode === MODE.ueToEas;
			if (isEas) this.sendFromEas(session, content);
			else session.send(content);
		} else if (message.command === "Session Terminate Request") {
			if (from === "UE") this.ue.stop(this.now);
			else this.hse.terminate(this.now, session?.context.parameters.sessionId ?? 0, content[3]);
		} else if (message.command === "Session Request" && message.key_id === 0 && from === "UE") {
			if (this.ue.isAttempting) {
				this.now = Math.max(this.now, this.ue.deadline ?? this.now);
				this.ue.handleTimeout(this.now);
			} else this.ue.begin(this.now);
		} else if (message.command === "Session Request" && from === "UE") this.ue.resume(this.now);
		else if (message.command === "Manage Keys Request") {
			const method = fromHex(message.tlvs.find(({ tag }: VectorCase) => tag === "19").value)[0];
			if (from === "UE") this.ue.refresh(this.now, method);
			else this.hse.refresh(this.now, this.sessionId, method);
		} else if (message.command === "Message Reject" && from === "HSE")
			this.hse.session(this.sessionId)?.reject(content[3]);
		else throw new Mismatch(`${from} cannot be made to send "${message.command}" yet`);
	}

	/** In UE-to-EAS mode the HSE sends what the EAS has protected. */
	private sendFromEas({ sessionId, identity, context }: HseSession, content: Uint8Array): void {
		const { keyId } = context.parameters;
		const easId = new TextDecoder().decode(identity.easId);
		// The key that it has already, with the COUNT that the HSE has come to.
		const key = this.gateway.handleKeyRequest(this.now, easId, { sessionId, keyId, ueId: undefined });
		if (typeof key === "number") throw new Mismatch(`the HSE gives no key to the EAS, with cause ${key}`);
		this.eas.handleKey(this.now, key, false);
		this.eas.send(sessionId, content);
		const downlink = this.eas.outbox.takeDownlink();
		if (downlink === undefined) throw new Mismatch("the EAS sends nothing");
		const { datagram } = downlink;
		const verdict = this.hse.handleEasDatagram(this.now, easId, datagram, datagram.length);
		this.eas.handleForwarded(downlink, verdict);
		expectEqual("the HSE finds the EAS's message", verdict, "accept");
	}

	/** Sets what the vectors fix: Session ID, cookie, back-off, and how many messages the HSE has sent that are not shown. */
	private prepare(result: VectorCase): void {
		const answer = fromHex(result.answer ?? "");
		const command = answer[HEADER.length];
		if (command === COMMAND.sessionStart) this.sessionId = readUint32(answer, HEADER.sessionId);
		const user = this.hse.session(this.sessionId)?.context.user;
		if (command === COMMAND.sessionStart && answer[HEADER.length + 1] === TAG.resumeNonce && user !== undefined)
			user.next = Math.max(user.next, readUint32(answer, NEXT_TO_UE));
		const tlvs = new TlvScan();
		this.load.seconds = undefined;
		if (command !== COMMAND.messageReject || tlvs.scan(answer, HEADER.length + 1, answer.length) !== 0) return;
		const cause = answer[tlvs.offsets[TAG.cause]];
		if (cause === CAUSE.cookieNeeded) this.load.wantedCookie = tlvs.value(TAG.cookie);
		if (cause === CAUSE.congestion) this.load.seconds = readUint16(answer, tlvs.offsets[TAG.cause] + 1);
	}

	private deliver(to: string, datagram: Uint8Array): Reaction {
		const verdict =
			to === "UE"
				? this.ue.handleDatagram(this.now, datagram, datagram.length)
				: this.hse.handleDatagram(this.now, SOURCE, datagram, datagram.length);
		const reaction = this.drain(to);
		// The USIM's or the authentication centre's word comes later and replaces the first verdict.
		if (verdict !== "accept") reaction.verdict = verdict;
		return reaction;
	}

	private drain(end: string): Reaction {
		const reaction: Reaction = { verdict: "accept", datagrams: [], payloads: [] };
		if (end === "UE") this.drainUe(reaction);
		else this.drainHse(reaction);
		for (const datagram of reaction.datagrams) {
			this.unseen[end].push(datagram);
			this.sent[end].add(datagram);
		}
		return reaction;
	}

	private drainUe(reaction: Reaction): void {
		const { outbox } = this.ue;
		for (;;) {
			this.record = outbox.takeRecord() ?? this.record;
			const octets = outbox.takeDatagram();
			if (octets > 0) reaction.datagrams.push(toHex(this.kernel.message.subarray(0, octets)));
			const challenge = outbox.takeChallenge();
			if (challenge === undefined) break;
			this.usim.authenticate(challenge.rand, challenge.autn, (result) => {
				reaction.verdict = this.ue.handleAuthentication(this.now, challenge, result);
			});
		}
		for (let event = outbox.takeEvent(); event !== undefined; event = outbox.takeEvent())
			if (event.kind === "downlink") reaction.payloads.push(toHex(event.payload));
	}

	private drainHse(reaction: Reaction): void {
		const { outbox } = this.hse;
		for (let request = outbox.takeVectorRequest(); request !== undefined; request = outbox.takeVectorRequest()) {
			const answer = this.centre.answer(request);
			this.hse.handleVector(this.now, request.number, answer);
			if (typeof answer === "number") reaction.verdict = "reject";
		}
		for (let out = outbox.takeDatagram(); out !== undefined; out = outbox.takeDatagram())
			reaction.datagrams.push(toHex(out.datagram));
		for (let event = outbox.takeEvent(); event !== undefined; event = outbox.takeEvent()) {
			if (event.kind === "uplink") reaction.payloads.push(toHex(event.payload));
			const forEas = this.gateway.handleEvent(this.now, event);
			if (forEas?.kind === "key") this.eas.handleKey(this.now, forEas.key, true);
			else if (forEas?.kind === "message") this.eas.handleDatagram(this.now, forEas.message);
			else if (forEas?.kind === "over") this.eas.handleOver(forEas.sessionId, forEas.cause);
		}
		for (let event = this.eas.outbox.takeEvent(); event !== undefined; event = this.eas.outbox.takeEvent())
			if (event.kind === "uplink") reaction.payloads.push(toHex(event.payload));
	}

	private compare({ from, result, new_keys, datagram }: VectorCase, { verdict, datagrams, payloads }: Reaction): void {
		const receiver = from === "UE" ? "HSE" : "UE";
		const outcome = OUTCOMES.includes(verdict) ? verdict : "drop";
		expectEqual(`${receiver} finds "${verdict}": outcome`, outcome, result.outcome);
		// What a hint makes a receiver send is a step of its own.
		if (result.answer !== null || outcome !== "hint")
			expectEqual(`${receiver} answers`, datagrams, result.answer === null ? [] : [result.answer]);
		expectEqual(`${receiver} delivers`, payloads, result.payload == null ? [] : [result.payload]);
		const sessionId = readUint32(fromHex(datagram), HEADER.sessionId);
		const session = receiver === "UE" ? this.ue.session : this.hse.session(sessionId);
		if (result.event?.includes("session over")) expectEqual("session left", session !== undefined, false);
		for (const keys of new_keys ?? []) this.compareKeys(keys);
	}

	private compareKeys(keys: VectorCase): void {
		const parameters = parametersOf(keys);
		const made = keysByName(fromHex(keys.k_base), parameters, new TextEncoder().encode(keys.eas_id));
		expectEqual("K_EAS_PSK", made.K_EAS_PSK, keys.k_eas_psk);
		const session = this.hse.session(parameters.sessionId);
		expectEqual("the HSE holds the key", session?.contextOf(parameters.keyId) !== undefined, true);
		// Keys on offer are not in use yet; what is sent under them later shows whether they are right.
		if (session?.context.parameters.keyId === parameters.keyId)
			expectEqual("K_EAS_PSK of the HSE", toHex(session.easKey()), keys.k_eas_psk);
	}

	/** The AUTN that a transcript wants sent instead of the right one. */
	spoil(autn: Uint8Array): void {
		this.centre.spoilAutn = () => autn;
	}
}

/** The value of tag 11 in the first of some steps that has one. */
function nextChallenge(steps: readonly VectorCase[]): Uint8Array {
	for (const { message } of steps)
		for (const { tag, value } of message?.tlvs ?? []) if (tag === "11") return fromHex(value);
	throw new Mismatch("there is no challenge");
}

export function checkTranscript(kernel: Kernel, vector: VectorCase): void {
	const play = new Play(kernel, vector);
	if (vector.given.hse_choice.spoil_autn) play.spoil(nextChallenge(vector.steps).slice(16));
	vector.steps.forEach((step: VectorCase, index: number) => {
		try {
			play.step(step, vector.steps.slice(index + 1));
		} catch (error) {
			throw new Mismatch(`step ${index + 1}: ${error instanceof Error ? error.message : error}`);
		}
	});
}
