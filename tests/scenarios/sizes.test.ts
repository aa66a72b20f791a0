import { describe, expect, test } from "@jest/globals";
import { REFRESH_METHOD } from "../../firmware/emsdp/contents.js";
import { AGREEMENT, COMMANDS, HEADER, SERVICE } from "../../firmware/emsdp/profile.js";
import { Pair } from "../support/pair.js";

/** Octets of EMSDP, what each procedure may take. */
const TARGETS = { newSession: 160, resume: 70, chainedRefresh: 55 } as const;
/** With an EAS Id of this length. */
const EAS_ID = "meters.state";

function nameOf(datagram: Uint8Array): string {
	if ((datagram[1] & HEADER.userPlane) !== 0) return "UP message";
	return COMMANDS.find(({ command }) => command === datagram[HEADER.length])?.name ?? "unknown";
}

/** Lets the link fall silent. @returns what was sent, in order */
function settled(pair: Pair): Uint8Array[] {
	const sent: Uint8Array[] = [];
	while (pair.toHse.length + pair.toUe.length > 0) {
		for (const datagram of pair.toHse.splice(0)) {
			sent.push(datagram);
			pair.deliverToHse(datagram);
		}
		for (const datagram of pair.toUe.splice(0)) {
			sent.push(datagram);
			pair.deliverToUe(datagram);
		}
	}
	return sent;
}

const octetsOf = (datagrams: readonly Uint8Array[]) => datagrams.reduce((sum, { length }) => sum + length, 0);

function print(what: string, datagrams: readonly Uint8Array[], target: number): void {
	const parts = datagrams.map((datagram) => `${nameOf(datagram)} ${datagram.length}`).join(" + ");
	process.stdout.write(`${what}: ${octetsOf(datagrams)} octets of EMSDP (${parts}), at most ${target} wanted\n`);
}

describe("size on the wire", () => {
	test("a new session with EPS AKA and an EAS Id of 12 octets: three messages, 160 octets at most", () => {
		expect(EAS_ID).toHaveLength(12);
		const pair = new Pair({ agreement: AGREEMENT.epsAka, service: SERVICE.confidential, easId: EAS_ID });
		pair.begin();
		const sent = settled(pair);
		print("new session, EPS AKA", sent, TARGETS.newSession);
		expect(sent).toHaveLength(3);
		expect(octetsOf(sent)).toBeLessThanOrEqual(TARGETS.newSession);
		expect(pair.ue.session).toBeDefined();
	});

	test("a resume: two messages, 70 octets at most", () => {
		const pair = new Pair({ easId: EAS_ID }).connect();
		pair.cutPower();
		pair.ue.resume(pair.now);
		pair.drainUe();
		const sent = settled(pair);
		print("resume", sent, TARGETS.resume);
		expect(sent).toHaveLength(2);
		expect(octetsOf(sent)).toBeLessThanOrEqual(TARGETS.resume);
		expect(pair.ue.session?.canSend).toBe(true);
	});

	test("a chained refresh that the UE asks for: 55 octets at most", () => {
		const pair = new Pair({ easId: EAS_ID }).connect();
		pair.ue.refresh(pair.now, REFRESH_METHOD.chained);
		pair.drainUe();
		const sent = settled(pair);
		print("chained refresh", sent, TARGETS.chainedRefresh);
		expect(sent).toHaveLength(3);
		expect(octetsOf(sent)).toBeLessThanOrEqual(TARGETS.chainedRefresh);
		expect(pair.ue.session?.context.parameters.keyId).toBe(2);
	});

	test("a client with a session adds no round trip, and ten octets, to a message", () => {
		const pair = new Pair({ easId: EAS_ID }).connect();
		for (let i = 0; i < 200; i++) {
			const payload = "a reading of 21.5 C ";
			pair.send(payload);
			const sent = settled(pair);
			expect(sent).toHaveLength(1);
			expect(sent[0]).toHaveLength(payload.length + 10);
		}
		expect(pair.uplinks).toHaveLength(200);
	});
});
