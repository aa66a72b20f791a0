import { rung } from "../demo/ladder.js";
import { CONFIGURATION_OPTIONS, type HseServerConfiguration, readConfiguration } from "../hse/configuration.js";
import type { HseEvent } from "../hse/events.js";
import { readHomeNetworkKeys } from "../hse/home-network-key.js";
import { DEFAULT_POLICY } from "../hse/policy.js";
import { HseServer } from "../hse/server.js";
import { openStorage } from "../hse/storage.js";
import { loadKernelFor } from "../kernel.js";
import { logTo } from "../log.js";
import { coreHsePort } from "../northbound/core-hse-port.js";
import { NorthboundServer } from "../northbound/server.js";
import { Failure } from "./errors.js";
import type { Command } from "./options.js";

/** An event as a line; a payload as text where it is printable, else in hex. */
function lineOf(event: HseEvent): string {
	const { kind, ...rest } = event;
	const fields = Object.entries(rest).map(([name, value]) => {
		if (value instanceof Uint8Array) return `${name}=${Buffer.from(value).toString("hex")}`;
		return `${name}=${name === "sessionId" ? Number(value).toString(16).padStart(8, "0") : value}`;
	});
	return `${kind}: ${fields.join(" ")}`;
}

/** @throws Failure where the port cannot be had */
async function listen(server: HseServer, port: number): Promise<void> {
	try {
		await server.listen();
	} catch (error) {
		const why = (error as NodeJS.ErrnoException).code;
		if (why === undefined) throw error;
		throw new Failure(`The port ${port} cannot be had (${why}): choose another with --port, or end what uses it.`);
	}
}

/** @returns undefined where neither the APIs nor the page are asked for */
async function startNorthbound(
	server: HseServer,
	configuration: HseServerConfiguration,
): Promise<NorthboundServer | undefined> {
	const { northboundPort, northboundAddress, operationsPort, operationsAddress } = configuration;
	if (northboundPort === undefined && operationsPort === undefined) return undefined;
	return NorthboundServer.start({
		hse: coreHsePort(server.hse, server),
		verdicts: () => server.hse.verdicts,
		sessionCount: () => server.hse.sessionCount,
		logger: logTo(process.stderr.fd, configuration.logLevel),
		api: northboundPort === undefined ? undefined : { address: northboundAddress, port: northboundPort },
		operations: operationsPort === undefined ? undefined : { address: operationsAddress, port: operationsPort },
		database: configuration.northboundDatabase,
		auditLog: configuration.auditLog,
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
		const { database: path, port, json, algorithms } = configuration;
		const list = configuration.homeNetworkKeys;
		const homeNetworkKeys = list === undefined ? undefined : readHomeNetworkKeys(list);
		const storage = await openStorage(path);
		const { database, store } = storage;
		let northbound: NorthboundServer | undefined;
		let answers = 0;
		const answer = (sessionId: number) => {
			try {
				server.send(sessionId, new TextEncoder().encode(`ok ${++answers}`));
			} catch (error) {
				// For instance a UE that takes no message of this length.
				console.error(error instanceof Error ? error.message : error);
			}
		};
		const server: HseServer = new HseServer({
			kernel: loadKernelFor(algorithms),
			database,
			homeNetworkKeys,
			store,
			address: configuration.address,
			port,
			policy: {
				...DEFAULT_POLICY,
				encryptionAlgorithms: algorithms,
				integrityAlgorithms: algorithms,
				lifetime: configuration.lifetime,
			},
			onEvent: (event) => {
				const text = json
					? JSON.stringify(event, (_, value) =>
							value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value,
						)
					: lineOf(event);
				console.log(text);
				northbound?.handleEvent(event);
				if (configuration.answer && event.kind === "uplink") answer(event.sessionId);
			},
			onError: (error) => console.error(`The database failed: ${error.message}`),
			onLost: (error) => {
				console.error(error.message);
				process.exit(1);
			},
			onTraffic: (traffic) => {
				northbound?.handleTraffic(traffic);
				if (!json) console.log(rung(traffic));
			},
		});
		const close = async () => {
			// The HSE ends in between: what it has heard until then is not lost northbound.
			await northbound?.drain();
			await server.close();
			await northbound?.close();
			await storage.end();
		};
		try {
			// First, so that it is told of the first uplink.
			northbound = await startNorthbound(server, configuration);
			await listen(server, port);
		} catch (error) {
			await close();
			throw error;
		}
		if (!json) console.log(`HSE on UDP port ${port}, database ${path}. End it with Ctrl-C.`);
		if (!json && northbound?.apiRoot) console.log(`Northbound APIs at ${northbound.apiRoot}/.`);
		if (!json && northbound?.page) console.log(`Page at ${northbound.page}.`);
		await new Promise<void>((resolve) => {
			process.once("SIGINT", resolve);
			process.once("SIGTERM", resolve);
		});
		await close();
		return 0;
	},
};
