import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { CAUSE, MODE } from "../../firmware/emsdp/profile.js";
import { SQN_STEP } from "../../firmware/keys/aka.js";
import { TestAuthority } from "../../host-tools/ca/ca.js";
import { EasServer } from "../../host-tools/eas/eas-server.js";
import type { EasError } from "../../host-tools/eas/errors.js";
import type { EasEvent } from "../../host-tools/eas/events.js";
import type { TlsIdentity } from "../../host-tools/eas/https.js";
import { PostgresSubscribers } from "../../host-tools/hse/postgres/subscribers.js";
import { loadKernelFor } from "../../host-tools/kernel.js";
import { NO_POSTGRES, Postgres } from "../support/postgres.js";
import { DirectedUe } from "./directed-ue.js";
import { HseProcess } from "./hse-process.js";
import { CREDENTIALS } from "./meter.js";
import { ADDRESS, freeTcpPort, freeUdpPort, pause, until } from "./waiting.js";

const EAS_ID = "meter.test";

/** An HSE of the fleet and its interface to EASs. */
interface Member {
	readonly process: HseProcess;
	readonly udp: number;
	readonly eas: number;
	readonly audit: string;
}

/** What stands before the interfaces to EASs: connections go to the HSE that a test says. */
class Balancer {
	/** TCP port of that HSE. */
	aim = 0;
	private readonly sockets = new Set<Socket>();
	private readonly server: Server = createServer((near) => {
		const far = connect(this.aim, ADDRESS);
		for (const [from, to] of [
			[near, far],
			[far, near],
		]) {
			this.sockets.add(from);
			from.pipe(to);
			from.on("error", () => {});
			from.once("close", () => {
				this.sockets.delete(from);
				to.destroy();
			});
		}
	});

	async listen(): Promise<number> {
		await new Promise<void>((resolve) => this.server.listen(0, ADDRESS, resolve));
		return (this.server.address() as AddressInfo).port;
	}

	/** From now on; connections that are open are closed, and the EAS has seen it when this returns. */
	async turn(aim: number): Promise<void> {
		this.aim = aim;
		for (const socket of this.sockets) socket.destroy();
		await pause(50);
	}

	async close(): Promise<void> {
		for (const socket of this.sockets) socket.destroy();
		await new Promise((resolve) => this.server.close(resolve));
	}
}

if (NO_POSTGRES !== undefined) test.skip(`EASs of several HSEs: ${NO_POSTGRES}`, () => {});
else
	describe("EASs of several HSEs", () => {
		const folder = mkdtempSync(join(tmpdir(), "best-fleet-eas-"));
		const balancer = new Balancer();
		let balancerPort: number;
		let postgres: Postgres;
		let subscribers: PostgresSubscribers;
		let identity: TlsIdentity;
		let members: Member[] = [];
		let a: Member;
		let b: Member;
		let eas: EasServer;
		let events: EasEvent[] = [];
		const servers: EasServer[] = [];
		const ues: DirectedUe[] = [];
		let next = 0;

		const imsiOf = (number: number) => `9017000000003${String(number).padStart(2, "0")}`;

		function newUe(member: Member): DirectedUe {
			const ue = new DirectedUe(imsiOf(next++), member.udp, MODE.ueToEas);
			ues.push(ue);
			return ue;
		}

		/** A UE of its own for a test, with a session at an HSE, whose EAS has the key. */
		async function ueAt(member: Member): Promise<{ ue: DirectedUe; sessionId: number }> {
			const ue = newUe(member);
			ue.begin();
			await until(() => ue.ue.session?.state === "live");
			const sessionId = ue.ue.session?.context.parameters.sessionId ?? 0;
			ue.say("hello");
			await until(() => readingsOf(sessionId).length === 1);
			return { ue, sessionId };
		}

		const readingsOf = (id: number) =>
			events.flatMap((event) =>
				event.kind === "uplink" && event.sessionId === id ? [new TextDecoder().decode(event.payload)] : [],
			);

		/** @returns false where so many are on their way that it must be sent later */
		function hasSent(sessionId: number, text: string): boolean {
			try {
				eas.send(sessionId, new TextEncoder().encode(text));
				return true;
			} catch (error) {
				expect((error as EasError).code).toBe("count");
				return false;
			}
		}

		async function startEas(): Promise<EasServer> {
			const server = new EasServer({
				kernel: loadKernelFor([2]),
				easId: EAS_ID,
				hseUrl: `https://${ADDRESS}:${balancerPort}`,
				hseName: "hse",
				tls: identity,
				address: ADDRESS,
				port: 0,
				onEvent: (event) => events.push(event),
			});
			servers.push(server);
			await server.listen();
			await until(() => server.isRegistered);
			return server;
		}

		function isUp({ process }: Member): boolean {
			return process.told.some(({ kind }) => kind === "EAS registered");
		}

		/** Starts an HSE that was ended, and waits until it knows the EAS. */
		async function restart(member: Member): Promise<void> {
			member.process.told.length = 0;
			member.process.start();
			await until(() => isUp(member), 15_000);
		}

		beforeAll(async () => {
			postgres = new Postgres();
			await postgres.start();
			subscribers = new PostgresSubscribers(postgres.url);
			await subscribers.migrate();
			for (let number = 0; number < 16; number++) {
				const amf = Uint8Array.of(0x80, 0);
				await subscribers.addSubscriber({ imsi: imsiOf(number), ...CREDENTIALS, amf, sqn: SQN_STEP, enabled: true });
			}
			const authority = await TestAuthority.create();
			identity = await authority.issue(EAS_ID, [ADDRESS]);
			const hse = await authority.issue("hse", [ADDRESS]);
			const files = { certificate: hse.certificate, "private-key": hse.key, authority: hse.authority };
			const tls = Object.entries(files).flatMap(([name, text]) => {
				const file = join(folder, `${name}.pem`);
				writeFileSync(file, text);
				return [`--eas-${name}`, file];
			});
			balancerPort = await balancer.listen();
			for (const name of ["a", "b"]) {
				const [udp, port] = [await freeUdpPort(), await freeTcpPort()];
				const audit = join(folder, `${name}-audit.jsonl`);
				const more = ["--eas", "--eas-port", String(port), "--eas-key", "allow", "--audit-log", audit, ...tls];
				const process = new HseProcess(postgres.url, udp, false, [], more);
				process.start();
				members.push({ process, udp, eas: port, audit });
			}
			[a, b] = members;
			await balancer.turn(a.eas);
			eas = await startEas();
			await until(() => isUp(a) && isUp(b), 20_000);
		}, 60_000);

		afterEach(() => {
			events = [];
		});

		afterAll(async () => {
			for (const ue of ues) ue.close();
			for (const server of servers) await server.close();
			for (const { process } of members) await process.end("SIGKILL");
			members = [];
			await balancer.close();
			await subscribers?.close();
			await postgres?.remove();
			rmSync(folder, { recursive: true });
		}, 60_000);

		test("readings reach an EAS that registered with another HSE, in order and once, wherever the UE speaks", async () => {
			const { ue, sessionId } = await ueAt(b);
			expect(eas.eas.easKey(sessionId)).toEqual(ue.ue.session?.easKey());
			const said = ["hello"];
			for (let i = 0; i < 8; i++) {
				said.push(`reading ${i}`);
				ue.aim = i % 2 === 0 ? a.udp : b.udp;
				ue.say(said[i + 1]);
				await until(() => readingsOf(sessionId).length === said.length);
			}
			expect(readingsOf(sessionId)).toEqual(said);
		}, 30_000);

		test("downlinks of an EAS go to whichever HSE has the session, each once", async () => {
			const first = await ueAt(b);
			const second = await ueAt(a);
			const texts: string[] = [];
			for (let i = 0; i < 12; i++) {
				texts.push(`answer ${i}`);
				if (i % 4 === 0) await balancer.turn(i % 8 === 0 ? a.eas : b.eas);
				for (const { sessionId } of [first, second]) eas.send(sessionId, new TextEncoder().encode(texts[i]));
				// What a UE says brings its session back.
				if (i % 3 === 0) first.ue.say(`reading ${i}`);
				await until(() => [first, second].every(({ ue }) => ue.received.length === texts.length));
			}
			expect([first.ue.received, second.ue.received]).toEqual([texts, texts]);
			expect(events.filter(({ kind }) => kind === "downlink refused")).toEqual([]);
		}, 30_000);

		test("a session that both sides pull at loses no downlink and gives none twice", async () => {
			const { ue, sessionId } = await ueAt(b);
			await balancer.turn(a.eas);
			const texts: string[] = [];
			for (let i = 0; i < 30; i++) {
				texts.push(`answer ${i}`);
				// An EAS has 16 downlinks at the most without the HSE's word.
				while (!hasSent(sessionId, texts[i])) await pause(10);
				// An HSE holds 8 datagrams at the most for a session that it has to wait for.
				await until(() => readingsOf(sessionId).length > i - 6);
				ue.say(`reading ${i}`);
				await pause(i % 10);
			}
			await until(() => ue.received.length === texts.length, 15_000);
			expect([...ue.received].sort()).toEqual([...texts].sort());
			await until(() => readingsOf(sessionId).length === 31);
			expect(new Set(readingsOf(sessionId)).size).toBe(31);
		}, 60_000);

		test("an EAS that has begun anew asks any HSE for the key of a session, which goes on record there", async () => {
			const { ue, sessionId } = await ueAt(b);
			await eas.close();
			events = [];
			await balancer.turn(a.eas);
			eas = await startEas();
			// Until the other HSE has heard of it, what it hears is for nobody.
			await pause(200);
			ue.say("to the new one");
			await until(() => readingsOf(sessionId).length === 1);
			expect(readingsOf(sessionId)).toEqual(["to the new one"]);
			expect(eas.eas.easKey(sessionId)).toEqual(ue.ue.session?.easKey());
			const hex = sessionId.toString(16).padStart(8, "0");
			const records = readFileSync(a.audit, "utf8").split("\n");
			const record = records.find((line) => line.includes(hex) && line.includes('"pull"'));
			expect(record).toContain('"EAS key given out"');
			eas.send(sessionId, new TextEncoder().encode("from the new one"));
			await until(() => ue.received.length === 1);
		}, 30_000);

		test("a subscriber's policy holds at every HSE: denied before the session begins, or when the key is asked for", async () => {
			const { ue: known, sessionId } = await ueAt(a);
			const refused = newUe(b);
			for (const number of [next - 2, next - 1]) await subscribers.setEasKeyPolicy(imsiOf(number), "deny");
			refused.begin();
			await until(() => refused.refusals.length > 0);
			expect(refused.refusals).toEqual([CAUSE.restrictedByRegulation]);
			const keyId = known.ue.session?.context.parameters.keyId ?? 0;
			await balancer.turn(b.eas);
			const pulled = eas.pull({ ueId: undefined, sessionId, keyId });
			await expect(pulled).rejects.toThrow(/with cause 12/);
			expect(readFileSync(b.audit, "utf8")).toMatch(/"EAS key refused"/);
		}, 30_000);

		test("a session ends for the EAS wherever its UE ends it, and where no HSE has it when its UE has another", async () => {
			const { ue, sessionId } = await ueAt(b);
			ue.aim = a.udp;
			ue.stop();
			const overs = () => events.flatMap((event) => (event.kind === "session over" ? [event.sessionId] : []));
			await until(() => overs().length === 1);
			const orphan = await ueAt(b);
			await b.process.end("SIGTERM");
			orphan.ue.aim = a.udp;
			orphan.ue.begin();
			await until(() => overs().length === 2);
			expect(overs()).toEqual([sessionId, orphan.sessionId]);
			await restart(b);
		}, 60_000);

		test("when the HSE with which it registered is killed, an EAS goes on with the others", async () => {
			await balancer.turn(a.eas);
			const registered = await startEas();
			await eas.close();
			eas = registered;
			await pause(200);
			const { ue, sessionId } = await ueAt(a);
			await a.process.end("SIGKILL");
			await balancer.turn(b.eas);
			ue.aim = b.udp;
			ue.say("at the other one");
			await until(() => readingsOf(sessionId).includes("at the other one"), 15_000);
			eas.send(sessionId, new TextEncoder().encode("answer"));
			await until(() => ue.received.length === 1);
			expect(eas.isRegistered).toBe(true);
			const [{ n }] = await postgres.query<{ n: string }>("SELECT count(*) AS n FROM best_eas");
			expect(n).toBe("1");
			// One that begins later knows it, too.
			await restart(a);
			const later = await ueAt(a);
			expect(readingsOf(later.sessionId)).toEqual(["hello"]);
		}, 60_000);

		test("whichever HSE is killed while it forwards, nothing arrives twice, either way, and both go on", async () => {
			const { ue, sessionId } = await ueAt(a);
			const refusedBefore = ue.refusals.length;
			let sent = 0;
			let said = 0;
			for (let round = 0; round < 4; round++) {
				const [killed, other] = round % 2 === 0 ? [a, b] : [b, a];
				ue.aim = killed.udp;
				await balancer.turn(killed.eas);
				const last = ue.received.length + 4 + 3 * round;
				ue.onDownlink = () => {
					if (ue.received.length === last) killed.process.signal("SIGKILL");
				};
				const goesOn = async (interval: number, isOver: () => boolean) => {
					for (const end = Date.now() + 20_000; Date.now() < end && !isOver(); await pause(interval)) {
						if (hasSent(sessionId, `answer ${sent}`)) sent++;
						ue.say(`reading ${said++}`);
					}
					expect(isOver()).toBe(true);
				};
				await goesOn(15, () => ue.received.length >= last);
				await killed.process.ended();
				ue.aim = other.udp;
				await balancer.turn(other.eas);
				const [received, readings] = [ue.received.length, readingsOf(sessionId).length];
				// 64 lost uplinks are borne, and the lease of the dead one lasts 4 s.
				await goesOn(150, () => ue.received.length > received + 5 && readingsOf(sessionId).length > readings + 5);
				await restart(killed);
			}
			const isTwice = (text: string, i: number, all: readonly string[]) => all.indexOf(text) !== i;
			expect([ue.received, ue.onTheWire, readingsOf(sessionId)].map((all) => all.filter(isTwice))).toEqual([
				[],
				[],
				[],
			]);
			expect(ue.onTheWire.length).toBeGreaterThanOrEqual(ue.received.length);
			// What the EAS itself takes once did not come to it twice.
			expect(eas.eas.verdicts.replay).toBeUndefined();
			expect(ue.refusals.length).toBe(refusedBefore);
			const ends = [a, b].flatMap(({ process }) => process.ends);
			expect(ends.filter((end) => end === 1)).toEqual([]);
		}, 120_000);

		test("an EAS that is gone is gone for all HSEs, and a UE that would need it is refused", async () => {
			await balancer.turn(b.eas);
			a.process.told.length = 0;
			await eas.close();
			const ue = newUe(a);
			await until(() => a.process.told.some(({ kind }) => kind === "EAS gone"));
			ue.begin();
			await until(() => ue.refusals.length > 0);
			expect(ue.refusals).toEqual([CAUSE.easRefusedOrOutOfReach]);
			eas = await startEas();
		}, 30_000);
	});
