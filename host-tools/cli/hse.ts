import { UDP_PORT } from "../../firmware/emsdp/profile.js";
import { rung } from "../demo/ladder.js";
import type { HseEvent } from "../hse/events.js";
import { readHomeNetworkKeys } from "../hse/home-network-key.js";
import { DEFAULT_POLICY } from "../hse/policy.js";
import { HseServer } from "../hse/server.js";
import { openStorage } from "../hse/storage.js";
import { loadKernelFor } from "../kernel.js";
import { ALGORITHMS_VALUE, algorithmsOption } from "./algorithms.js";
import { Failure } from "./errors.js";
import { type Command, numberOption, textOption } from "./options.js";

/** An event as a line; a payload as text where it is printable, else in hex. */
function lineOf(event: HseEvent): string {
	const { kind, ...rest } = event;
	const fields = Object.entries(rest).map(([name, value]) => {
		if (value instanceof Uint8Array) return `${name}=${Buffer.from(value).toString("hex")}`;
		return `${name}=${name === "sessionId" ? Number(value).toString(16).padStart(8, "0") : value}`;
	});
	return `${kind}: ${fields.join(" ")}`;
}

export const hse: Command = {
	name: "hse",
	summary: 'run a test HSE on UDP; it answers each uplink with "ok N" when asked to',
	options: {
		address: { value: "ADDRESS", help: "address to listen at (127.0.0.1)" },
		port: { value: "N", help: `UDP port (${UDP_PORT})` },
		"home-network-keys": {
			value: "ID=FILE,…",
			help: "private keys for SUCIs, in PEM: X25519 for profile A, P-256 for profile B",
		},
		database: {
			value: "FILE|URL",
			help: "subscribers, their SQNs, and sessions; postgres://… for several HSEs at once (best-hse.db)",
		},
		lifetime: { value: "S", help: "seconds after which a session is ended with cause 11 (0: never)" },
		algorithms: {
			value: ALGORITHMS_VALUE,
			help: "for ciphering and integrity, the preferred one first (aes; the others are not constant time)",
		},
		answer: { help: "answer each uplink with a downlink" },
		json: { help: "one JSON object per event instead of lines for people" },
	},
	example: "best hse --database best-hse.db --answer",
	async run(options) {
		const path = textOption(options, "database", "best-hse.db");
		const port = numberOption(options, "port", UDP_PORT, 1, 65_535);
		const json = options.json === true;
		const algorithms = algorithmsOption(options);
		const list = options["home-network-keys"];
		const homeNetworkKeys = typeof list === "string" ? readHomeNetworkKeys(list) : undefined;
		const storage = await openStorage(path);
		const { database, store } = storage;
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
			address: textOption(options, "address", "127.0.0.1"),
			port,
			policy: {
				...DEFAULT_POLICY,
				encryptionAlgorithms: algorithms,
				integrityAlgorithms: algorithms,
				lifetime: numberOption(options, "lifetime", 0, 0, 0xffffffff),
			},
			onEvent: (event) => {
				const text = json
					? JSON.stringify(event, (_, value) =>
							value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value,
						)
					: lineOf(event);
				console.log(text);
				if (options.answer === true && event.kind === "uplink") answer(event.sessionId);
			},
			onError: (error) => console.error(`The database failed: ${error.message}`),
			onLost: (error) => {
				console.error(error.message);
				process.exit(1);
			},
			...(json ? {} : { onTraffic: (traffic) => console.log(rung(traffic)) }),
		});
		try {
			await server.listen();
		} catch (error) {
			await storage.end();
			const why = (error as NodeJS.ErrnoException).code;
			if (why === undefined) throw error;
			throw new Failure(`The port ${port} cannot be had (${why}): choose another with --port, or end what uses it.`);
		}
		if (!json) console.log(`HSE on UDP port ${port}, database ${path}. End it with Ctrl-C.`);
		await new Promise<void>((resolve) => {
			process.once("SIGINT", resolve);
			process.once("SIGTERM", resolve);
		});
		await server.close();
		await storage.end();
		return 0;
	},
};
