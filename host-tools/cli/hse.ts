import { rung } from "../demo/ladder.js";
import { easIdText } from "../eas-id-text.js";
import { sessionIdText } from "../hex.js";
import { AuditFile } from "../hse/audit.js";
import {
	CONFIGURATION_OPTIONS,
	EAS_PORT,
	type HseServerConfiguration,
	readConfiguration,
} from "../hse/configuration.js";
import { HseError } from "../hse/errors.js";
import type { EscrowFile } from "../hse/escrow-file.js";
import type { HseEvent } from "../hse/events.js";
import { type HomeNetworkKeys, readHomeNetworkKeys } from "../hse/home-network-key.js";
import { DEFAULT_POLICY } from "../hse/policy.js";
import { PostgresEasRegistrations } from "../hse/postgres/eas-registrations.js";
import { PostgresSessionStore } from "../hse/postgres/session-store.js";
import { isPostgresUrl } from "../hse/postgres/url.js";
import { type EasOptions, HseServer } from "../hse/server.js";
import { openStorage, type Storage } from "../hse/storage.js";
import { loadKernelFor } from "../kernel.js";
import { logTo } from "../log.js";
import { coreHsePort } from "../northbound/core-hse-port.js";
import { NorthboundServer } from "../northbound/server.js";
import { Failure } from "./errors.js";
import { type EasWatcher, easOptions, easPolicy, openEscrow, readEasTls } from "./hse-eas.js";
import { LineBuffer } from "./line-buffer.js";
import type { Command } from "./options.js";

/** The fields of an event as they are shown: a Session ID as 8 hex digits, an EAS Id as text, other octets in hex. */
function shown(event: HseEvent): Record<string, unknown> {
	const fields = Object.entries(event).map(([name, value]) => {
		if (name === "sessionId") return [name, sessionIdText(Number(value))];
		if (!(value instanceof Uint8Array)) return [name, value];
		return [name, name === "easId" ? easIdText(value) : Buffer.from(value).toString("hex")];
	});
	return Object.fromEntries(fields);
}

/** As a line for people, in which a UE that chose an EAS Id of its own starts no other. */
function lineOf({ kind, ...fields }: Readonly<Record<string, unknown>>): string {
	return `${kind}: ${Object.entries(fields)
		.map(([name, value]) => `${name}=${String(value).replaceAll(/\p{Cc}/gu, "?")}`)
		.join(" ")}`;
}

function reportDatabaseError(error: Error): void {
	console.error(`The database failed: ${error.message}`);
}

/** What the server writes to besides its sockets. */
interface Files extends Omit<Storage, "close"> {
	/** undefined where nothing is there to be put on record. */
	readonly audit: AuditFile | undefined;
	readonly escrow: EscrowFile | undefined;
	readonly eas: EasOptions | undefined;
	closeAll(): Promise<void>;
}

/** @param print takes an event for the person, or the program, that watches @throws Failure; then none stays open */
async function open(
	configuration: HseServerConfiguration,
	homeNetworkKeys: HomeNetworkKeys | undefined,
	print: EasWatcher["print"],
): Promise<Files> {
	const opened: { close(): void | Promise<void> }[] = [];
	const closeAll = async () => {
		for (const file of opened.reverse()) await file.close();
	};
	const keep = <T extends { close(): void | Promise<void> } | undefined>(file: T): T => {
		if (file !== undefined) opened.push(file);
		return file;
	};
	// Before anything is made: whoever has no certificate yet finds no new files.
	const tls = readEasTls(configuration);
	try {
		const storage = keep(await openStorage(configuration.database, homeNetworkKeys));
		if (storage.wasSetBack)
			console.error(
				`The database ${configuration.database} is an older copy, or not the one that ${configuration.database}-lock belongs to: its sessions were forgotten, and UEs agree new ones.`,
			);
		const { eas: isEas, northboundPort, operationsPort } = configuration;
		const isAudited = isEas || northboundPort !== undefined || operationsPort !== undefined;
		const audit = isAudited ? keep(new AuditFile(configuration.auditLog, Date.now)) : undefined;
		const escrow = keep(openEscrow(configuration));
		const registrations =
			isEas && isPostgresUrl(configuration.database)
				? keep(new PostgresEasRegistrations(configuration.database, reportDatabaseError))
				: undefined;
		const policyOf = (imsi: string) => storage.database.easKeyPolicy(imsi);
		const eas = tls && audit && easOptions(configuration, tls, policyOf, registrations, escrow, { audit, print });
		return { ...storage, audit, escrow, eas, closeAll };
	} catch (error) {
		await closeAll();
		throw error;
	}
}

/** @throws Failure where a port cannot be had */
async function listen(
	server: HseServer,
	{ address, port, eas, easAddress, easPort }: HseServerConfiguration,
): Promise<void> {
	try {
		await server.listen();
	} catch (error) {
		const { code: why, syscall } = error as NodeJS.ErrnoException;
		if (why === undefined) throw error;
		if (why === "EADDRNOTAVAIL" || why === "EINVAL") {
			// Only a TCP port is listened at.
			const [at, option] = eas && syscall === "listen" ? [easAddress, "--eas-address"] : [address, "--address"];
			throw new Failure(`${at} is no address of this machine: choose another with ${option}.`);
		}
		const which = eas
			? [`The port ${port} or ${easPort ?? EAS_PORT}`, "--port or --eas-port"]
			: [`The port ${port}`, "--port"];
		throw new Failure(`${which[0]} cannot be had (${why}): choose another with ${which[1]}, or end what uses it.`);
	}
}

/** @returns undefined where neither the APIs nor the page are asked for */
async function startNorthbound(
	server: HseServer,
	configuration: HseServerConfiguration,
	{ audit, escrow, database, store }: Pick<Files, "audit" | "escrow" | "database" | "store">,
): Promise<NorthboundServer | undefined> {
	const { northboundPort, northboundAddress, operationsPort, operationsAddress } = configuration;
	if (audit === undefined || (northboundPort === undefined && operationsPort === undefined)) return undefined;
	return NorthboundServer.start({
		hse: coreHsePort(server.hse, server),
		verdicts: () => server.hse.verdicts,
		sessionCount: () => server.hse.sessionCount,
		logger: logTo(process.stderr.fd, configuration.logLevel),
		api: northboundPort === undefined ? undefined : { address: northboundAddress, port: northboundPort },
		operations: operationsPort === undefined ? undefined : { address: operationsAddress, port: operationsPort },
		database: configuration.northboundDatabase,
		shared:
			store instanceof PostgresSessionStore
				? {
						url: configuration.database,
						process: store.process,
						bring: (sessionId) => server.bring(sessionId),
					}
				: undefined,
		audit,
		escrow,
		subscriberPolicy: (imsi) => database.easKeyPolicy(imsi),
		demoClient: configuration.demoClient,
		settings: configuration.northbound,
	});
}

export const hse: Command = {
	name: "hse",
	summary: 'run a test HSE on UDP; it answers each uplink with "ok N" when asked to',
	options: CONFIGURATION_OPTIONS,
	example: "best hse --database best-hse.db --answer",
	async run(options) {
		const configuration = readConfiguration(options, process.env);
		const { database: path, port, json, quiet, algorithms, operationsPort } = configuration;
		const hasRungs = !json && !quiet;
		const list = configuration.homeNetworkKeys;
		const homeNetworkKeys = list === undefined ? undefined : readHomeNetworkKeys(list);
		const lines = new LineBuffer((text) => process.stdout.write(text));
		process.on("exit", () => lines.flush());
		const print = (event: Readonly<Record<string, unknown>>) => lines.add(json ? JSON.stringify(event) : lineOf(event));
		let northbound: NorthboundServer | undefined;
		let answers = 0;
		const answer = (sessionId: number) => {
			try {
				server.send(sessionId, new TextEncoder().encode(`ok ${++answers}`));
			} catch (error) {
				// The UE has ended its session meanwhile.
				if (error instanceof HseError && error.code === "unknown") return;
				// For instance a UE that takes no message of this length.
				console.error(error instanceof Error ? error.message : error);
			}
		};
		const { database, store, centre, audit, escrow, eas, closeAll } = await open(configuration, homeNetworkKeys, print);
		const server: HseServer = new HseServer({
			kernel: loadKernelFor(algorithms),
			database,
			centre,
			homeNetworkKeys,
			store,
			address: configuration.address,
			port,
			policy: {
				...DEFAULT_POLICY,
				encryptionAlgorithms: algorithms,
				integrityAlgorithms: algorithms,
				lifetime: configuration.lifetime,
				...easPolicy(configuration),
			},
			...(eas === undefined ? {} : { eas }),
			onEvent: (event) => {
				if (!quiet) print(shown(event));
				northbound?.handleEvent(event);
				if (configuration.answer && event.kind === "uplink") answer(event.sessionId);
			},
			isBehind: () => northbound?.isBehind === true,
			onError: reportDatabaseError,
			onLost: (error) => {
				console.error(error.message);
				process.exit(1);
			},
			...(hasRungs || operationsPort !== undefined
				? {
						onTraffic: (traffic) => {
							northbound?.handleTraffic(traffic);
							if (hasRungs) lines.add(rung(traffic));
						},
					}
				: {}),
		});
		const close = async () => {
			// The HSE ends in between: what it has heard until then is not lost northbound.
			await northbound?.drain();
			await server.close();
			await northbound?.close();
			await closeAll();
		};
		try {
			// First, so that it is told of the first uplink.
			northbound = await startNorthbound(server, configuration, { audit, escrow, database, store });
			await listen(server, configuration);
		} catch (error) {
			await close();
			throw error;
		}
		if (!json && eas !== undefined) lines.add(`EASs register at https://${eas.address}:${server.easPort}.`);
		if (!json) lines.add(`HSE on UDP port ${port}, database ${path}. End it with Ctrl-C.`);
		if (!json && northbound?.apiRoot) lines.add(`Northbound APIs at ${northbound.apiRoot}/.`);
		if (!json && northbound?.page) lines.add(`Page at ${northbound.page}.`);
		await new Promise<void>((resolve) => {
			process.once("SIGINT", resolve);
			process.once("SIGTERM", resolve);
		});
		await close();
		return 0;
	},
};
