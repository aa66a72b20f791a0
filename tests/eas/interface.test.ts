import { request } from "node:https";
import { afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { MODE, SERVICE } from "../../firmware/emsdp/profile.js";
import { TestAuthority } from "../../host-tools/ca/ca.js";
import { encodeRegistered, encodeRegistration, HSE_PATH, XML_TYPE } from "../../host-tools/eas/annex-b.js";
import { EasServer } from "../../host-tools/eas/eas-server.js";
import type { EasEvent } from "../../host-tools/eas/events.js";
import { FORWARDED_TYPE, LONGEST_FORWARDED } from "../../host-tools/eas/forwarded.js";
import {
	type Answer,
	close,
	createMutualServer,
	listen,
	MutualClient,
	plain,
	type TlsIdentity,
} from "../../host-tools/eas/https.js";
import { EasGateway } from "../../host-tools/hse/eas-gateway.js";
import { EasInterface } from "../../host-tools/hse/eas-interface.js";
import { loadKernelFor } from "../../host-tools/kernel.js";
import { EAS_ID } from "../support/eas-pair.js";
import { IMSI, Pair } from "../support/pair.js";

const HOST = "127.0.0.1";
let authority: TestAuthority;
const identities: Record<string, TlsIdentity> = {};
beforeAll(async () => {
	authority = await TestAuthority.create();
	for (const name of ["hse", EAS_ID, "other.example"]) identities[name] = await authority.issue(name, [HOST]);
	const stranger = await TestAuthority.create();
	// Of another authority, with the right name.
	identities.stranger = { ...(await stranger.issue(EAS_ID, [HOST])), authority: authority.certificate };
	identities.falseHse = { ...(await stranger.issue("hse", [HOST])), authority: authority.certificate };
});

/** One UE without a network, and an HSE whose interface to EASs is on loopback. */
class Bench extends Pair {
	readonly gateway: EasGateway;
	readonly easInterface: EasInterface;
	readonly errors: string[] = [];
	readonly servers: EasServer[] = [];
	readonly easEvents: EasEvent[] = [];
	port = 0;
	private seen = 0;
	private wake: () => void = () => {};

	constructor(service: number = SERVICE.confidential, tls = identities.hse) {
		super({
			service,
			offer: { mode: MODE.ueToEas },
			policy: { modes: [MODE.ueToEas] },
			eas: { isReachable: (easId) => this.easInterface.isReachable(easId) },
		});
		const { hse } = this;
		this.gateway = new EasGateway({ hse, easKeyPolicy: () => "allow" });
		this.easInterface = new EasInterface({
			hse,
			gateway: this.gateway,
			tls,
			address: HOST,
			port: 0,
			easIds: undefined,
			now: () => this.now,
			drain: () => {
				this.drainHse();
				this.wake();
			},
			onEas: () => this.wake(),
			onError: (error) => this.errors.push(error.message),
		});
	}

	async listen(): Promise<this> {
		this.port = await this.easInterface.listen();
		return this;
	}

	override drainHse(): void {
		super.drainHse();
		for (; this.seen < this.hseEvents.length; this.seen++) {
			const item = this.gateway.handleEvent(this.now, this.hseEvents[this.seen]);
			if (item !== undefined) this.easInterface.deliver(item);
		}
	}

	get url(): string {
		return `https://${HOST}:${this.port}`;
	}

	/** An EAS, whether the HSE takes it or not. */
	async startEas(tls = identities[EAS_ID], easId = EAS_ID, hseUrl = this.url): Promise<EasServer> {
		const server = new EasServer({
			kernel: loadKernelFor([2]),
			easId,
			hseUrl,
			hseName: "hse",
			tls,
			address: HOST,
			port: 0,
			onEvent: (event) => {
				this.easEvents.push(event);
				this.wake();
			},
			onRegistered: () => this.wake(),
			onError: (error) => {
				this.errors.push(error.message);
				this.wake();
			},
		});
		this.servers.push(server);
		await server.listen();
		return server;
	}

	/** An EAS that has registered. */
	async registeredEas(): Promise<EasServer> {
		const server = await this.startEas();
		await this.until(() => server.isRegistered);
		return server;
	}

	/** Waits until something is so; the test's own limit ends it otherwise. */
	async until(isSo: () => boolean): Promise<void> {
		while (!isSo())
			await new Promise<void>((resolve) => {
				this.wake = resolve;
				if (isSo()) resolve();
			});
	}

	get readings(): string[] {
		return this.easEvents.flatMap((event) =>
			event.kind === "uplink" ? [new TextDecoder().decode(event.payload)] : [],
		);
	}

	count(kind: EasEvent["kind"]): number {
		return this.easEvents.filter((event) => event.kind === kind).length;
	}

	get sessionId(): number {
		return this.hse.sessionOf(IMSI)?.sessionId ?? 0;
	}

	async close(): Promise<void> {
		for (const server of this.servers) await server.close();
		await this.easInterface.close();
	}
}

let bench: Bench;
afterEach(async () => {
	await bench.close();
});

describe("HSE and EAS over HTTPS with mutual TLS", () => {
	test("push: the key comes with the session, readings and answers go through, the end is told", async () => {
		bench = await new Bench().listen();
		const server = await bench.registeredEas();
		bench.connect();
		for (let i = 0; i < 100; i++) bench.send(`reading ${i}`);
		bench.settle();
		await bench.until(() => bench.readings.length === 100);
		expect(bench.readings).toEqual(Array.from({ length: 100 }, (_, i) => `reading ${i}`));
		expect(server.eas.easKey(bench.sessionId)).toEqual(bench.ue.session?.easKey());
		server.send(bench.sessionId, new TextEncoder().encode("answer"));
		await bench.until(() => bench.toUe.length > 0);
		bench.settle();
		expect(bench.downlinks).toEqual(["answer"]);
		bench.stop();
		bench.settle();
		await bench.until(() => bench.count("session over") === 1);
		expect(server.eas.sessionIds).toEqual([]);
		expect(bench.errors).toEqual([]);
	});

	test("pull: an EAS that has begun anew asks for the keys of the messages it gets", async () => {
		bench = await new Bench().listen();
		const first = await bench.registeredEas();
		bench.connect();
		bench.send("one");
		bench.settle();
		await bench.until(() => bench.readings.length === 1);
		await first.close();
		bench.servers.pop();
		const second = await bench.registeredEas();
		bench.send("two");
		bench.settle();
		await bench.until(() => bench.readings.length === 2);
		second.send(bench.sessionId, new TextEncoder().encode("answer"));
		await bench.until(() => bench.toUe.length > 0);
		bench.settle();
		expect(bench.readings).toEqual(["one", "two"]);
		expect(bench.downlinks).toEqual(["answer"]);
	});

	test("pull: a key that the HSE cannot give at once is asked for again, and what waits for it is opened", async () => {
		bench = await new Bench().listen();
		const first = await bench.registeredEas();
		bench.connect();
		await bench.until(() => bench.count("session") === 1);
		await first.close();
		bench.servers.pop();
		await bench.registeredEas();
		const { gateway } = bench;
		const give = gateway.handleKeyRequest.bind(gateway);
		let asked = 0;
		gateway.handleKeyRequest = (...words) => {
			if (++asked === 1) throw new Error("The database cannot be asked.");
			return give(...words);
		};
		bench.send("one");
		bench.send("two");
		bench.settle();
		await bench.until(() => bench.readings.length === 2);
		expect(bench.readings).toEqual(["one", "two"]);
		expect(asked).toBe(2);
		expect(bench.count("no key")).toBe(0);
	});

	test("pull by name, as the application of a key-agreement-only session does", async () => {
		bench = await new Bench(SERVICE.keyAgreementOnly).listen();
		const first = await bench.registeredEas();
		bench.connect();
		await bench.until(() => bench.count("session") === 1);
		await first.close();
		bench.servers.pop();
		const second = await bench.registeredEas();
		const { sessionId } = bench;
		await second.pull({ ueId: `imsi-${IMSI}`, sessionId, keyId: 1 });
		expect(second.eas.easKey(sessionId)).toEqual(bench.ue.session?.easKey());
		await expect(second.pull({ ueId: "imsi-001019999999999", sessionId, keyId: 1 })).rejects.toThrow("with cause 03");
		await expect(second.pull({ ueId: undefined, sessionId, keyId: 2 })).rejects.toThrow("with cause 0b");
		await expect(second.pull({ ueId: undefined, sessionId: 1, keyId: 1 })).rejects.toThrow("with cause 0a");
	});

	test("without an EAS a session is refused with 09, and with one that has gone as well", async () => {
		bench = await new Bench().listen();
		bench.connect();
		expect(bench.ueEvents.at(-1)).toMatchObject({ kind: "attempt over", cause: 9 });
		const server = await bench.registeredEas();
		expect(bench.easInterface.isReachable(EAS_ID)).toBe(true);
		await server.close();
		bench.servers.pop();
		expect(bench.easInterface.isReachable(EAS_ID)).toBe(false);
	});
});

describe("who is refused", () => {
	test("a certificate of another authority does not get as far as HTTP", async () => {
		bench = await new Bench().listen();
		const server = await bench.startEas(identities.stranger);
		await bench.until(() => bench.errors.some((error) => error.startsWith("This EAS is not registered")));
		expect(server.isRegistered).toBe(false);
		expect(bench.errors.some((error) => error.startsWith("TLS was refused"))).toBe(true);
	});

	test("nor does who has no certificate", async () => {
		bench = await new Bench().listen();
		const outcome = await new Promise<string>((resolve) => {
			const outgoing = request(`${bench.url}${HSE_PATH}`, { method: "POST", ca: authority.certificate }, () =>
				resolve("answered"),
			);
			outgoing.on("error", () => resolve("refused"));
			outgoing.end();
		});
		expect(outcome).toBe("refused");
	});

	test("an EAS refuses a false HSE", async () => {
		bench = await new Bench(SERVICE.confidential, identities.falseHse).listen();
		const server = await bench.startEas();
		await bench.until(() => bench.errors.some((error) => error.startsWith("This EAS is not registered")));
		expect(server.isRegistered).toBe(false);
	});

	test("an EAS refuses another EAS in the HSE's place", async () => {
		bench = await new Bench(SERVICE.confidential, identities["other.example"]).listen();
		const server = await bench.startEas();
		await bench.until(() => bench.errors.some((error) => error.includes("not that of hse")));
		expect(server.isRegistered).toBe(false);
	});

	test("at the end of the HSE what waits for an EAS goes out first", async () => {
		bench = await new Bench().listen();
		await bench.registeredEas();
		bench.connect();
		for (let i = 0; i < 200; i++) bench.send(`reading ${i}`);
		bench.settle();
		await bench.easInterface.close();
		expect(bench.readings).toHaveLength(200);
	});

	test("an EAS whose renewal is not answered tries again before its registration is over", async () => {
		bench = new Bench();
		const renewals: number[] = [];
		const hse = createMutualServer(
			identities.hse,
			LONGEST_FORWARDED,
			({ method, path }): Answer => {
				if (method === "DELETE") return { status: 204 };
				if (path === HSE_PATH) {
					const body = encodeRegistered({ easSessionId: "1234", expiresIn: 2 });
					return { status: 201, type: XML_TYPE, body };
				}
				renewals.push(performance.now());
				return plain(503, "Not now.");
			},
			(error) => bench.errors.push(error.message),
		);
		const port = await listen(hse, HOST, 0);
		const begun = performance.now();
		const server = await bench.startEas(identities[EAS_ID], EAS_ID, `https://${HOST}:${port}`);
		await new Promise((resolve) => setTimeout(resolve, 1900));
		const { isRegistered } = server;
		await server.close();
		await close(hse);
		expect(renewals.filter((at) => at - begun < 2000).length).toBeGreaterThan(1);
		expect(isRegistered).toBe(true);
	});

	test("an EAS registers under no name but that of its certificate", async () => {
		bench = await new Bench().listen();
		const server = await bench.startEas(identities["other.example"], EAS_ID);
		await bench.until(() => bench.errors.some((error) => error.includes("status 403")));
		expect(server.isRegistered).toBe(false);
		expect(bench.easInterface.isReachable(EAS_ID)).toBe(false);
	});

	test("the session of one EAS is nothing to another, even to one that knows its id", async () => {
		bench = await new Bench().listen();
		const registration = encodeRegistration({ easId: EAS_ID, callback: `https://${HOST}:1/` });
		const own = new MutualClient(identities[EAS_ID], "hse");
		const other = new MutualClient(identities["other.example"], "hse");
		const ask = (client: MutualClient, method: string, path: string, type = XML_TYPE, body: string | Uint8Array = "") =>
			client.send(method, `${bench.url}${path}`, type, body, 4096);
		const { status, body } = await ask(own, "POST", HSE_PATH, XML_TYPE, registration);
		expect(status).toBe(201);
		const id = /<EAS_Session_Id>(\w+)</.exec(new TextDecoder().decode(body))?.[1];
		for (const action of ["", "/requests", "/downlinks"])
			expect((await ask(other, "POST", `${HSE_PATH}/${id}${action}`)).status).toBe(404);
		expect((await ask(other, "DELETE", `${HSE_PATH}/${id}`)).status).toBe(404);
		expect((await ask(own, "POST", `${HSE_PATH}/${id}`)).status).toBe(204);
		// Bad requests of the EAS itself.
		for (const [method, path, type, wanted] of [
			["POST", "/elsewhere", XML_TYPE, 404],
			["POST", `${HSE_PATH}X`, XML_TYPE, 404],
			["GET", HSE_PATH, XML_TYPE, 405],
			["GET", `${HSE_PATH}/${id}/requests`, XML_TYPE, 405],
			["POST", HSE_PATH, "text/plain", 415],
			["POST", HSE_PATH, XML_TYPE, 400],
			["POST", `${HSE_PATH}/${id}/requests`, XML_TYPE, 400],
			["POST", `${HSE_PATH}/${id}/downlinks`, XML_TYPE, 415],
			["POST", `${HSE_PATH}/${id}/downlinks`, FORWARDED_TYPE, 400],
			["POST", `${HSE_PATH}/${id}/constructor`, XML_TYPE, 404],
			["POST", `${HSE_PATH}/${id}/requests/more`, XML_TYPE, 404],
		] as const)
			expect([method, path, (await ask(own, method, path, type, "x")).status]).toEqual([method, path, wanted]);
		const long = await ask(own, "POST", HSE_PATH, XML_TYPE, new Uint8Array(LONGEST_FORWARDED + 1));
		expect(long.status).toBe(413);
		own.close();
		other.close();
	});
});
