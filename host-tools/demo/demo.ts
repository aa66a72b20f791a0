import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type HseConfiguration, readHseConfiguration } from "../../firmware/emsdp/configuration.js";
import { COMMAND, HEADER, MODE, TAG } from "../../firmware/emsdp/profile.js";
import { TestAuthority } from "../ca/ca.js";
import { Failure } from "../cli/errors.js";
import { type Device, hasXsHost, startDevice } from "../device/device.js";
import { EasServer } from "../eas/eas-server.js";
import type { EasEvent } from "../eas/events.js";
import { HseDatabase } from "../hse/database.js";
import type { HseEvent } from "../hse/events.js";
import { DEFAULT_POLICY } from "../hse/policy.js";
import { HseServer, type Traffic } from "../hse/server.js";
import { loadKernelFor, needsMoreThanAes } from "../kernel.js";
import { PcapWriter } from "../pcap.js";
import { provision, TEST_IMSI } from "../provision/provision.js";
import { remark, rung } from "./ladder.js";

/** Milliseconds that a reading may take to be delivered and answered, and the device to start or to end. */
const PATIENCE = 5000;
const ADDRESS = "127.0.0.1";
const EAS_ID = "meter.demo";

export interface DemoOptions {
	readonly readings: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
	/** Undefined: in a folder that is removed afterwards. */
	readonly database: string | undefined;
	readonly port: number;
	readonly pcap: string | undefined;
	/** Undefined: the first of the test range that the database does not have. */
	readonly imsi: string | undefined;
	readonly service: number;
	/** In UE-to-EAS mode an EAS takes part, over mutual TLS with certificates made for this run. */
	readonly mode: number;
	readonly agreement: number;
	/** Offered by the device, and granted by the HSE, which prefers the first. */
	readonly algorithms: readonly number[];
	/** A line for the person who watches. */
	print(line: string): void;
}

/** The figures of one run. */
export interface DemoSummary {
	readonly sent: number;
	/** Readings that reached the application side intact. */
	readonly delivered: number;
	/** Octets of the readings delivered, and of the UP messages that carried them. */
	readonly payloadOctets: number;
	readonly wireOctets: number;
	readonly overheadPerMessage: number;
	/** Octets of EMSDP, both ways, until the session is confirmed, and messages of the HSE that were waited for. */
	readonly setupOctets: number;
	readonly setupRoundTrips: number;
	readonly usPerUplink: number;
	readonly heapPeakBytes: number;
	readonly engine: string;
	readonly kernel: string;
}

/** A line of the device, as `firmware/application.ts` prints it. */
interface DeviceLine {
	readonly event: string;
	readonly why?: string;
	readonly payload?: string;
	readonly cause?: string;
	readonly by?: string;
	readonly microsecondsPerUplink?: number;
	readonly heapPeakBytes?: number;
	readonly engine?: string;
	readonly kernel?: string;
}

/** What the HSE has chosen, where the datagram is the 11 of a new session: tag 10 comes first there, in clear. */
function configurationIn(datagram: Uint8Array): HseConfiguration | undefined {
	const isControl = (datagram[1] & HEADER.userPlane) === 0;
	const isStart = isControl && datagram[HEADER.length] === COMMAND.sessionStart;
	if (!isStart || datagram[HEADER.length + 1] !== TAG.hseConfiguration) return undefined;
	return readHseConfiguration(datagram, HEADER.length + 3);
}

function sameOctets(a: Uint8Array, b: Uint8Array): boolean {
	return Buffer.compare(a, b) === 0;
}

/** The first IMSI from {@link TEST_IMSI} on that the database does not have. */
function freeImsi(database: HseDatabase): string {
	let imsi = TEST_IMSI;
	while (database.subscriber(imsi) !== undefined) imsi = String(Number(imsi) + 1).padStart(TEST_IMSI.length, "0");
	return imsi;
}

/** One device and one HSE on loopback, from the first Session Request to the last Terminate Response. */
class Demo {
	private readonly options: DemoOptions;
	private readonly folder = mkdtempSync(join(tmpdir(), "best-demo-"));
	private readonly pcap: PcapWriter | undefined;
	private server: HseServer | undefined;
	private eas: EasServer | undefined;
	/** Makes the certificates of HSE and EAS, where there is an EAS. */
	private authority: TestAuthority | undefined;
	private port = 0;
	private confirmed = false;
	private sent = 0;
	private delivered = 0;
	private payloadOctets = 0;
	private wireOctets = 0;
	private setupOctets = 0;
	private setupRoundTrips = 0;
	private expected: Uint8Array | undefined;
	/** How often the device has told of each event, and its last line. */
	private readonly counts = new Map<string, number>();
	private end: DeviceLine | undefined;
	/** Wakes whoever waits for something to happen. */
	private wake: () => void = () => {};

	constructor(options: DemoOptions) {
		this.options = options;
		try {
			this.pcap = options.pcap === undefined ? undefined : new PcapWriter(options.pcap);
		} catch (error) {
			rmSync(this.folder, { recursive: true });
			const why = (error as NodeJS.ErrnoException).code;
			throw new Failure(`The capture ${options.pcap} cannot be made (${why}): name a file that can be written.`);
		}
	}

	async run(): Promise<DemoSummary> {
		if (!hasXsHost()) this.options.print("No C compiler was found: the firmware runs on Node's engine, not on XS.");
		const { print, database: databasePath, service, agreement, algorithms, mode } = this.options;
		let database: HseDatabase | undefined;
		try {
			database = new HseDatabase(databasePath ?? join(this.folder, "hse.db"));
			this.server = await this.listen(database);
			print(`HSE on UDP ${ADDRESS} port ${this.port}, database ${databasePath ?? "for this run only"}.`);
			const storeDirectory = join(this.folder, "device");
			const easId = EAS_ID;
			if (mode === MODE.ueToEas) await this.startEas();
			const imsi = this.options.imsi ?? freeImsi(database);
			const hse = { hseAddress: ADDRESS, hsePort: this.port };
			await provision({ database, storeDirectory, imsi, ...hse, easId, service, mode, agreement, algorithms });
			print(`Subscriber ${imsi} provisioned with fresh keys.`);
			return await this.play(startDevice({ storeDirectory, isComplete: needsMoreThanAes(algorithms) }));
		} finally {
			await this.eas?.close();
			await this.server?.close();
			database?.close();
			this.pcap?.close();
			rmSync(this.folder, { recursive: true });
		}
	}

	private async listen(database: HseDatabase): Promise<HseServer> {
		const { port, algorithms, mode } = this.options;
		if (mode === MODE.ueToEas) this.authority = await TestAuthority.create(1);
		const tls = await this.authority?.issue("hse", [ADDRESS]);
		const server = new HseServer({
			kernel: loadKernelFor(algorithms),
			policy: { ...DEFAULT_POLICY, encryptionAlgorithms: algorithms, integrityAlgorithms: algorithms, modes: [mode] },
			...(tls === undefined ? {} : { eas: { tls, address: ADDRESS, port: 0, easKeyPolicy: () => "allow" as const } }),
			database,
			address: ADDRESS,
			port,
			onEvent: (event) => this.hear(event),
			onTraffic: (traffic) => this.watch(traffic),
		});
		try {
			this.port = await server.listen();
		} catch (error) {
			const why = (error as NodeJS.ErrnoException).code;
			throw new Failure(`The port ${port} cannot be had (${why}): choose another with --port, or end what uses it.`);
		}
		return server;
	}

	/** An EAS that has registered with the HSE. */
	private async startEas(): Promise<void> {
		const { authority, server } = this;
		if (authority === undefined || server === undefined) return;
		this.eas = new EasServer({
			kernel: loadKernelFor(this.options.algorithms),
			easId: EAS_ID,
			hseUrl: `https://${ADDRESS}:${server.easPort}`,
			hseName: "hse",
			tls: await authority.issue(EAS_ID, [ADDRESS]),
			address: ADDRESS,
			port: 0,
			onEvent: (event) => this.hearEas(event),
			onRegistered: () => this.wake(),
			onError: (error) => this.options.print(`  EAS: ${error.message}`),
		});
		const port = await this.eas.listen();
		await this.until(() => this.eas?.isRegistered === true);
		this.options.print(`EAS ${EAS_ID} on TCP ${ADDRESS} port ${port}, registered with the HSE over mutual TLS.`);
	}

	/** What the EAS tells: it has K_EAS_PSK, and the readings come to it. */
	private hearEas(event: EasEvent): void {
		const { print } = this.options;
		if (event.kind === "session") print(`  EAS: has K_EAS_PSK of ${event.ueId}, Key ID ${event.keyId}`);
		else if (event.kind === "session over") print("  EAS: session over, keys erased");
		else if (event.kind === "uplink") {
			print(`  EAS: MAC and COUNT verified, application has ${this.take(event.payload)}`);
			this.eas?.send(event.sessionId, new TextEncoder().encode(`ok ${this.delivered}`));
		} else print(`  EAS: ${event.kind}`);
	}

	private async play(device: Device): Promise<DemoSummary> {
		const { print } = this.options;
		print(`Firmware on ${device.engineDescription}.`);
		let status: number | undefined;
		device.onLine((line) => this.read(line));
		device.onErrorLine((line) => print(remark(line)));
		const exited = device.exited.then((code) => {
			status = code;
			this.wake();
		});
		try {
			await this.until(() => this.count("session started") > 0 || status !== undefined);
			for await (const reading of this.options.readings) {
				if (status !== undefined) break;
				await this.deliver(device, reading, () => status !== undefined);
			}
			device.end();
			await this.until(() => status !== undefined);
		} finally {
			if (status === undefined) device.cutPower();
			await exited;
		}
		return this.summary(device);
	}

	/** One reading at a time: loopback would lose what comes in faster than it is read. */
	private async deliver(device: Device, reading: Uint8Array, isOver: () => boolean): Promise<void> {
		this.sent++;
		this.expected = reading;
		const answers = this.count("downlink") + this.count("not sent");
		device.sendReading(reading);
		await this.until(() => this.count("downlink") + this.count("not sent") > answers || isOver());
	}

	private summary(device: Device): DemoSummary {
		const { end, sent, delivered, payloadOctets, wireOctets, setupOctets, setupRoundTrips } = this;
		return {
			sent,
			delivered,
			payloadOctets,
			wireOctets,
			overheadPerMessage: delivered === 0 ? 0 : (wireOctets - payloadOctets) / delivered,
			setupOctets,
			setupRoundTrips,
			usPerUplink: Math.round(10 * (end?.microsecondsPerUplink ?? 0)) / 10,
			heapPeakBytes: end?.heapPeakBytes ?? 0,
			engine: end?.engine ?? device.engineDescription,
			kernel: end?.kernel ?? "unknown",
		};
	}

	/** What the HSE tells: the application side takes each reading and answers it. */
	private hear(event: HseEvent): void {
		if (event.kind === "session confirmed") this.confirmed = true;
		if (event.kind !== "uplink") return;
		this.options.print(`  HSE: application has ${this.take(event.payload)}`);
		this.server?.send(event.sessionId, new TextEncoder().encode(`ok ${this.delivered}`));
	}

	/** The application side has a reading. @returns what it is, for people */
	private take(payload: Uint8Array): string {
		const intact = this.expected !== undefined && sameOctets(payload, this.expected);
		this.expected = undefined;
		if (intact) {
			this.delivered++;
			this.payloadOctets += payload.length;
		}
		const text = new TextDecoder().decode(payload.subarray(0, 60));
		return `${JSON.stringify(text)}${intact ? "" : " (not what was sent)"}`;
	}

	/** Every datagram on the HSE's socket. */
	private watch(traffic: Traffic): void {
		const { datagram, fromUe, peer, verdict } = traffic;
		const [address, port] = peer.split(" ");
		const ends = [
			{ address, port: Number(port) },
			{ address: ADDRESS, port: this.port },
		];
		const [from, to] = fromUe ? ends : [...ends].reverse();
		this.pcap?.write(Date.now(), from, to, datagram);
		const isUserPlane = (datagram[1] & HEADER.userPlane) !== 0;
		if (isUserPlane) this.wireOctets += fromUe && verdict === "accept" ? datagram.length : 0;
		else if (!this.confirmed || datagram[HEADER.length] === COMMAND.sessionStartConfirmation) {
			this.setupOctets += datagram.length;
			if (!fromUe) this.setupRoundTrips++;
		}
		this.options.print(rung(traffic));
		const choice = fromUe ? undefined : configurationIn(datagram);
		if (choice !== undefined)
			this.options.print(`  HSE: has chosen 128-EEA${choice.encryption} and 128-EIA${choice.integrity}`);
	}

	private read(line: string): void {
		const message: DeviceLine = JSON.parse(line);
		const { event, why, payload, cause, by } = message;
		this.counts.set(event, this.count(event) + 1);
		if (event === "end") this.end = message;
		const text: Record<string, string> = {
			"session started": "challenge answered by the USIM; MAC and request digest of 11 verified, keys derived",
			downlink: `MAC and COUNT verified, payload ${JSON.stringify(Buffer.from(payload ?? "", "hex").toString())}`,
			"session over": `session over, keys erased (ended by the ${by}, ${cause})`,
			"not sent": `not sent: ${why}`,
			failed: `failed: ${why}`,
			rejected: `rejected: ${cause}`,
			"attempt over": `no session: ${cause}`,
		};
		if (text[event] !== undefined) this.options.print(remark(text[event]));
		this.wake();
	}

	private count(event: string): number {
		return this.counts.get(event) ?? 0;
	}

	/** Waits until something is so, for a while. */
	private async until(isSo: () => boolean): Promise<void> {
		const end = performance.now() + PATIENCE;
		while (!isSo() && performance.now() < end)
			await new Promise<void>((resolve) => {
				const timer = setTimeout(resolve, end - performance.now());
				this.wake = () => {
					clearTimeout(timer);
					resolve();
				};
			});
	}
}

/** Runs the main job once. @throws Failure, DatabaseError or UsageError */
export function runDemo(options: DemoOptions): Promise<DemoSummary> {
	return new Demo(options).run();
}
