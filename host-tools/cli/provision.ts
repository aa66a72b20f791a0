import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { UDP_PORT } from "../../firmware/emsdp/profile.js";
import { fromHex } from "../hex.js";
import { HseDatabase } from "../hse/database.js";
import { parseKeyFile, readHomeNetworkPublicKey } from "../hse/home-network-key.js";
import { isPostgresUrl } from "../hse/postgres/connection.js";
import { openSubscribers } from "../hse/storage.js";
import {
	AGREEMENTS,
	type ProvisionOptions,
	provision as provisionDevice,
	provisionShared,
	SERVICES,
	type SuciKey,
	TEST_IMSI,
	type TuakSubscription,
} from "../provision/provision.js";
import { ALGORITHMS_VALUE, algorithmsOption } from "./algorithms.js";
import { Failure, UsageError } from "./errors.js";
import { type Command, choiceOption, imsiOption, numberOption, type Options, textOption } from "./options.js";

const TUAK_OPTIONS = ["res-bits", "keccak-iterations", "top"] as const;

/** @throws UsageError, or Failure where the file of TOP is of no use */
function tuakOf(options: Options): TuakSubscription | undefined {
	const keyOctets = choiceOption(options, "key-bits", ["128", "256"], "128") === "256" ? 32 : 16;
	if (choiceOption(options, "aka-algorithm", ["milenage", "tuak"], "milenage") === "milenage") {
		const foreign = TUAK_OPTIONS.find((name) => options[name] !== undefined);
		if (foreign !== undefined) throw new UsageError(`--${foreign} goes with TUAK only: add --aka-algorithm tuak.`);
		if (keyOctets === 32) throw new UsageError("--key-bits is 256: MILENAGE takes 128; add --aka-algorithm tuak.");
		return undefined;
	}
	const resBits = choiceOption(options, "res-bits", ["32", "64", "128"], "64");
	const { top } = options;
	return {
		keyOctets,
		resOctets: RES_OCTETS[resBits],
		iterations: numberOption(options, "keccak-iterations", 1, 1, 255),
		top: typeof top === "string" ? readTop(top) : undefined,
	};
}

const RES_OCTETS = { "32": 4, "64": 8, "128": 16 } as const;

function readTop(path: string): Uint8Array {
	let text: string;
	try {
		text = readFileSync(path, "utf8").trim();
	} catch {
		throw new Failure(`The file ${path} cannot be read: name one that holds TOP, 64 hex digits, with --top.`);
	}
	if (!/^[0-9a-f]{64}$/i.test(text))
		throw new Failure(`The file ${path} does not hold TOP: 64 hex digits are allowed.`);
	return fromHex(text);
}

/** @throws UsageError, or Failure where the file holds no key */
function suciOf({ suci }: Options): SuciKey | undefined {
	if (typeof suci !== "string" || suci === "null") return suci as "null" | undefined;
	const { keyId, path } = parseKeyFile(suci);
	return { keyId, ...readHomeNetworkPublicKey(path) };
}

function provisionInFile(path: string, device: Omit<ProvisionOptions, "database">): void {
	const database = new HseDatabase(path);
	try {
		provisionDevice({ ...device, database });
	} finally {
		database.close();
	}
}

async function provisionInPostgres(url: string, device: Omit<ProvisionOptions, "database">): Promise<void> {
	const database = await openSubscribers(url);
	try {
		await provisionShared(device, database);
	} finally {
		await database.end();
	}
}

export const provision: Command = {
	name: "provision",
	summary: "make a subscriber with fresh keys and write its identity into the file-backed store of a device",
	options: {
		store: { value: "DIR", help: "the device's store: that of the simulator or of the XS host (best-store)" },
		database: { value: "FILE|URL", help: "the HSE's database, a file or postgres://… (best-hse.db)" },
		imsi: { value: "DIGITS", help: `(${TEST_IMSI})` },
		"hse-address": { value: "ADDRESS", help: "numeric address of the HSE (127.0.0.1)" },
		"hse-port": { value: "N", help: `(${UDP_PORT})` },
		"eas-id": { value: "TEXT", help: "(meter.demo)" },
		service: { value: "confidential|integrity", help: "service asked for (confidential)" },
		"aka-algorithm": { value: "milenage|tuak", help: "of the soft USIM and the authentication centre (milenage)" },
		"key-bits": { value: "128|256", help: "of K; 256 with TUAK only (128)" },
		"res-bits": { value: "32|64|128", help: "of RES, with TUAK (64)" },
		"keccak-iterations": { value: "N", help: "with TUAK: 1 to 255 (1)" },
		top: { value: "FILE", help: "with TUAK: the operator's TOP, 64 hex digits; without it TOPc is random" },
		suci: { value: "null|ID=FILE", help: "name the UE by a SUCI: of the null scheme, or for a home network key (PEM)" },
		agreement: { value: "eps-aka|umts-aka", help: "key agreement offered (eps-aka)" },
		algorithms: { value: ALGORITHMS_VALUE, help: "offered for ciphering and integrity, in any order (aes)" },
	},
	example: "best provision --store best-store --database best-hse.db",
	async run(options) {
		const hseAddress = textOption(options, "hse-address", "127.0.0.1");
		if (isIP(hseAddress) === 0)
			throw new UsageError(`--hse-address is "${hseAddress}": a numeric IPv4 or IPv6 address is allowed.`);
		const storeDirectory = textOption(options, "store", "best-store");
		const imsi = imsiOption(options) ?? TEST_IMSI;
		const hsePort = numberOption(options, "hse-port", UDP_PORT, 1, 65_535);
		const easId = textOption(options, "eas-id", "meter.demo");
		const service = SERVICES[choiceOption(options, "service", ["confidential", "integrity"], "confidential")];
		const agreement = AGREEMENTS[choiceOption(options, "agreement", ["eps-aka", "umts-aka"], "eps-aka")];
		const algorithms = algorithmsOption(options);
		const tuak = tuakOf(options);
		const suci = suciOf(options);
		const name = textOption(options, "database", "best-hse.db");
		const device = {
			storeDirectory,
			imsi,
			hseAddress,
			hsePort,
			easId,
			service,
			agreement,
			algorithms,
			tuak,
			suci,
		};
		try {
			if (isPostgresUrl(name)) await provisionInPostgres(name, device);
			else provisionInFile(name, device);
		} finally {
			tuak?.top?.fill(0);
		}
		console.log(`Subscriber ${imsi} is in the database, and its identity in ${storeDirectory}.`);
		return 0;
	},
};
