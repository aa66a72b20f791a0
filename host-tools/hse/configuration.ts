import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { z } from "zod";
import { UDP_PORT } from "../../firmware/emsdp/profile.js";
import { Failure, UsageError } from "../cli/errors.js";
import type { OptionRow, Options } from "../cli/options.js";
import { CA_FILE, fileOf } from "../cli/tls.js";
import { issueInWords } from "../issue-words.js";
import { NorthboundFile } from "../northbound/settings.js";
import { ALGORITHMS } from "../provision/provision.js";
import { EAS_KEY_POLICIES } from "./policy.js";

/** P: TCP port of the HSE's interface to EASs; none is registered. */
export const EAS_PORT = 33164;

/** A setting that a flag, an environment variable or the configuration file gives: the first of them that does. */
interface Setting {
	/** As for an option of a command. */
	readonly row: OptionRow;
	readonly schema: z.ZodType;
}

const text = z.string().min(1, "a name is needed");

/** A whole number, also as text. */
function whole(least: number, most: number) {
	const message = `a whole number from ${least} to ${most} is allowed`;
	return z.preprocess(
		(value) => (typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : value),
		z.int(message).min(least, message).max(most, message),
	);
}

const flag = z.preprocess(
	(value) => (value === "true" ? true : value === "false" ? false : value),
	z.boolean("true or false is allowed"),
);

const ALGORITHM_NAMES = Object.keys(ALGORITHMS) as (keyof typeof ALGORITHMS)[];
const algorithms = z.preprocess(
	(value) => (typeof value === "string" ? value.split(",") : value),
	z
		.array(z.enum(ALGORITHM_NAMES))
		.min(1)
		.refine((list) => new Set(list).size === list.length)
		.transform((list) => list.map((name) => ALGORITHMS[name])),
);
const ALGORITHMS_MESSAGE = `allowed are ${ALGORITHM_NAMES.join(", ")}, each once, separated by commas`;

/** Settings by name, as in the configuration file; a flag is the same with hyphens, a variable BEST_HSE_ in capitals. */
const SETTINGS = {
	address: {
		row: { value: "ADDRESS", help: "address to listen at (127.0.0.1)" },
		schema: z
			.string()
			.refine((address) => isIP(address) !== 0, "an IPv4 or IPv6 address is needed, such as 127.0.0.1 or ::")
			.default("127.0.0.1"),
	},
	port: { row: { value: "N", help: `UDP port (${UDP_PORT})` }, schema: whole(1, 65_535).default(UDP_PORT) },
	homeNetworkKeys: {
		row: {
			value: "ID=FILE,…",
			help: "private keys for SUCIs, in PEM: X25519 for profile A, P-256 for profile B",
		},
		schema: text.optional(),
	},
	database: {
		row: {
			value: "FILE|URL",
			help: "subscribers, their SQNs, and sessions; postgres://… for several HSEs at once (best-hse.db)",
		},
		schema: text.default("best-hse.db"),
	},
	lifetime: {
		row: { value: "S", help: "seconds after which a session is ended with cause 11 (0: never)" },
		schema: whole(0, 0xffffffff).default(0),
	},
	algorithms: {
		row: {
			value: ALGORITHM_NAMES.join(","),
			help: "for ciphering and integrity, the preferred one first (aes; the others are not constant time)",
		},
		schema: algorithms.default([ALGORITHMS.aes]),
	},
	answer: { row: { help: "answer each uplink with a downlink" }, schema: flag.default(false) },
	json: { row: { help: "one JSON object per event instead of lines for people" }, schema: flag.default(false) },
	quiet: { row: { help: "no line for each event and message: for many UEs" }, schema: flag.default(false) },
	eas: { row: { help: "let EASs register, and grant UE-to-EAS mode" }, schema: flag.default(false) },
	easAddress: { row: { value: "ADDRESS", help: "address to listen at for EASs (127.0.0.1)" }, schema: text.optional() },
	easPort: { row: { value: "N", help: `TCP port for EASs (${EAS_PORT})` }, schema: whole(0, 65_535).optional() },
	easCertificate: {
		row: { value: "FILE", help: `certificate for EASs, PEM (${fileOf("hse", "pem")})` },
		schema: text.optional(),
	},
	easPrivateKey: { row: { value: "FILE", help: `its key, PEM (${fileOf("hse", "key")})` }, schema: text.optional() },
	easAuthority: {
		row: { value: "FILE", help: `whom an EAS's certificate must be of, PEM (${CA_FILE})` },
		schema: text.optional(),
	},
	easIds: {
		row: { value: "TEXT,…", help: "sessions for these EASs only (any)" },
		schema: z.preprocess((value) => (typeof value === "string" ? value.split(",") : value), z.array(text)).optional(),
	},
	easKey: {
		row: {
			value: EAS_KEY_POLICIES.join("|"),
			help: "whether K_EAS_PSK goes to an EAS where best subscriber policy has not said so (deny)",
		},
		schema: z.enum(EAS_KEY_POLICIES, `allowed are ${EAS_KEY_POLICIES.join(", ")}`).default("deny"),
	},
	escrowFile: {
		row: { value: "FILE", help: "with the policy escrow: a copy of each K_EAS_PSK goes there first" },
		schema: text.optional(),
	},
	escrowKey: {
		row: { value: "FILE", help: "RSA public key that these copies are enciphered to, PEM" },
		schema: text.optional(),
	},
	northboundPort: {
		row: { value: "N", help: "TCP port of the northbound APIs (none without it)" },
		schema: whole(0, 65_535).optional(),
	},
	northboundAddress: {
		row: { value: "ADDRESS", help: "address of the northbound APIs (127.0.0.1)" },
		schema: text.default("127.0.0.1"),
	},
	northboundDatabase: {
		row: {
			value: "FILE",
			help: "what application servers have asked for, unless it is in a PostgreSQL (best-northbound.db)",
		},
		schema: text.default("best-northbound.db"),
	},
	auditLog: {
		row: { value: "FILE", help: "record of keys given out and of what was refused (best-audit.jsonl)" },
		schema: text.default("best-audit.jsonl"),
	},
	demoClient: {
		row: { value: "FILE", help: "where the credentials for trying the APIs go (best-client.json)" },
		schema: text.default("best-client.json"),
	},
	operationsPort: {
		row: { value: "N", help: "TCP port of the page, /metrics and /healthz (none without it)" },
		schema: whole(0, 65_535).optional(),
	},
	operationsAddress: {
		row: { value: "ADDRESS", help: "address of the page, of this machine (127.0.0.1)" },
		schema: text.default("127.0.0.1"),
	},
	logLevel: {
		row: { value: "LEVEL", help: "of the JSON log on standard error: error, warn, info, debug or silent (warn)" },
		schema: z.enum(["error", "warn", "info", "debug", "silent"]).default("warn"),
	},
} satisfies Record<string, Setting>;

/** Of settings that are lists on the command line: what is said of the whole of one. */
const LIST_MESSAGES: Readonly<Record<string, string>> = {
	algorithms: ALGORITHMS_MESSAGE,
	easIds: "names are allowed, none of them empty, separated by commas",
};

type Name = keyof typeof SETTINGS;

/** Of no use, so probably a mistake, unless EASs may register. */
const WITH_EAS_ONLY = ["easAddress", "easPort", "easCertificate", "easPrivateKey", "easAuthority"] as const;

const Configuration = z
	.strictObject({
		...(Object.fromEntries(Object.entries(SETTINGS).map(([name, { schema }]) => [name, schema])) as {
			[N in Name]: (typeof SETTINGS)[N]["schema"];
		}),
		northbound: NorthboundFile.prefault({}),
	})
	.superRefine((values, { addIssue }) => {
		const refuse = (name: Name, message: string) => addIssue({ code: "custom", path: [name], message });
		for (const name of WITH_EAS_ONLY)
			if (!values.eas && values[name] !== undefined) refuse(name, "it goes with --eas only");
		const { escrowFile, escrowKey } = values;
		if (escrowFile !== undefined && escrowKey === undefined) refuse("escrowFile", "it goes with --escrow-key only");
		if (escrowKey !== undefined && escrowFile === undefined) refuse("escrowKey", "it goes with --escrow-file only");
		if (values.easKey === "escrow" && escrowFile === undefined)
			refuse("easKey", "it needs --escrow-file and --escrow-key");
	});

export type HseServerConfiguration = z.infer<typeof Configuration>;

const flagOf = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const variableOf = (name: string) => `BEST_HSE_${flagOf(name).replaceAll("-", "_").toUpperCase()}`;

/** The options of the command, by flag. */
export const CONFIGURATION_OPTIONS: Readonly<Record<string, OptionRow>> = {
	config: { value: "FILE", help: "JSON configuration file; flags and BEST_HSE_… variables go before it" },
	...Object.fromEntries(Object.entries(SETTINGS).map(([name, { row }]) => [flagOf(name), row])),
};

/**
 * Brings flags, environment and file together, checked by one schema.
 * @throws UsageError that names the setting, where it came from, and what is allowed; Failure for a file that cannot be read
 */
export function readConfiguration(
	options: Options,
	environment: Readonly<Record<string, string | undefined>>,
): HseServerConfiguration {
	const path = options.config ?? environment.BEST_HSE_CONFIG;
	const file = typeof path === "string" ? readFile(path) : {};
	const origins = new Map<string, string>();
	const values: Record<string, unknown> = {};
	const take = (name: string, value: unknown, origin: string) => {
		if (value === undefined) return;
		values[name] = value;
		origins.set(name, origin);
	};
	for (const [name, value] of Object.entries(file)) take(name, value, `${name} in ${path}`);
	for (const name of Object.keys(SETTINGS)) take(name, environment[variableOf(name)], variableOf(name));
	for (const name of Object.keys(SETTINGS)) take(name, options[flagOf(name)], `--${flagOf(name)}`);
	const variables = ["BEST_HSE_CONFIG", ...Object.keys(SETTINGS).map(variableOf)];
	const unknown = Object.keys(environment).find((name) => name.startsWith("BEST_HSE_") && !variables.includes(name));
	if (unknown !== undefined) throw new UsageError(`${unknown} is no setting: allowed are ${variables.join(", ")}.`);
	const { success, data, error } = Configuration.safeParse(values, { error: issueInWords });
	if (success) return data;
	const [{ path: at, message, code }] = error.issues;
	if (code === "unrecognized_keys" && at.length === 0)
		throw new UsageError(`${path}: ${message}; allowed are ${[...Object.keys(SETTINGS), "northbound"].join(", ")}.`);
	const [name, ...rest] = at.map(String);
	const isList = Object.hasOwn(LIST_MESSAGES, name);
	const why = isList ? LIST_MESSAGES[name] : message;
	// Only what a command line shows anyway is repeated.
	if ((isList || rest.length === 0) && typeof values[name] !== "object")
		throw new UsageError(`${origins.get(name)} is "${values[name]}": ${why}.`);
	throw new UsageError(`${[origins.get(name), ...rest].join(", ")}: ${why}.`);
}

function readFile(path: string): Readonly<Record<string, unknown>> {
	let octets: string;
	try {
		octets = readFileSync(path, "utf8");
	} catch (error) {
		throw new Failure(
			`The configuration file ${path} cannot be read (${(error as NodeJS.ErrnoException).code}): mend its name or its rights.`,
		);
	}
	let value: unknown;
	try {
		value = JSON.parse(octets);
	} catch {
		throw new UsageError(`The configuration file ${path} is not JSON.`);
	}
	if (typeof value !== "object" || value === null || Array.isArray(value))
		throw new UsageError(`The configuration file ${path} must hold one JSON object.`);
	return value as Record<string, unknown>;
}
