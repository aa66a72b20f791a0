import { readFileSync } from "node:fs";
import { MODE } from "../../firmware/emsdp/profile.js";
import type { DisclosureEntry } from "../hse/eas-gateway.js";
import { EscrowFile } from "../hse/escrow-file.js";
import { EAS_KEY_POLICIES, type EasKeyPolicy, type Policy } from "../hse/policy.js";
import type { EasOptions } from "../hse/server.js";
import { Failure, UsageError } from "./errors.js";
import { choiceOption, numberOption, type OptionRow, type Options, textOption } from "./options.js";
import { readTls, tlsOptions } from "./tls.js";

/** P: TCP port of the HSE's interface to EASs; none is registered. */
export const EAS_PORT = 33164;

/** The options of `best hse` that are about EASs. */
export const EAS_OPTION_ROWS: Readonly<Record<string, OptionRow>> = {
	eas: { help: "let EASs register, and grant UE-to-EAS mode" },
	"eas-address": { value: "ADDRESS", help: "address to listen at for EASs (127.0.0.1)" },
	"eas-port": { value: "N", help: `TCP port for EASs (${EAS_PORT})` },
	"eas-ids": { value: "TEXT,…", help: "sessions for these EASs only (any)" },
	"eas-key": {
		value: EAS_KEY_POLICIES.join("|"),
		help: "whether K_EAS_PSK goes out where best subscriber policy has not said so (deny)",
	},
	"escrow-file": { value: "FILE", help: "with escrow: a copy of each K_EAS_PSK goes there first" },
	"escrow-key": { value: "FILE", help: "with escrow: RSA public key that the copies are enciphered to, PEM" },
	...tlsOptions("hse"),
};

/** What `best hse` needs for EASs. */
export interface EasSetup {
	readonly eas?: EasOptions;
	readonly policy: Partial<Policy>;
	close(): void;
}

/**
 * @param policyOf what the database says of a subscriber
 * @param print takes a line for the person, or a program, that watches
 * @throws UsageError, Failure
 */
export function readEasSetup(
	options: Options,
	policyOf: (imsi: string) => EasKeyPolicy | undefined,
	print: (event: Record<string, unknown>) => void,
): EasSetup {
	const easIds = typeof options["eas-ids"] === "string" ? options["eas-ids"].split(",") : undefined;
	const named = easIds === undefined ? {} : { easIds };
	if (options.eas !== true) {
		for (const name of Object.keys(EAS_OPTION_ROWS))
			if (options[name] !== undefined && name !== "eas-ids") throw new UsageError(`--${name} goes with --eas only.`);
		return { policy: named, close: () => {} };
	}
	const tls = readTls(options, "hse");
	const otherwise = choiceOption(options, "eas-key", EAS_KEY_POLICIES, "deny");
	const isEscrow =
		otherwise === "escrow" || options["escrow-file"] !== undefined || options["escrow-key"] !== undefined;
	const escrow = isEscrow ? openEscrow(options) : undefined;
	return {
		eas: {
			tls,
			address: textOption(options, "eas-address", "127.0.0.1"),
			port: numberOption(options, "eas-port", EAS_PORT, 1, 65_535),
			easKeyPolicy: (imsi) => policyOf(imsi) ?? otherwise,
			...(escrow === undefined ? {} : { escrow }),
			onDisclosure: ({ sessionId, ...entry }: DisclosureEntry) =>
				print({ kind: "key disclosure", ...entry, sessionId: sessionId.toString(16).padStart(8, "0") }),
			onEas: (easId, isThere) => print({ kind: isThere ? "EAS registered" : "EAS gone", easId }),
		},
		policy: { ...named, modes: [MODE.ueToHse, MODE.ueToEas] },
		close: () => escrow?.close(),
	};
}

function openEscrow(options: Options): EscrowFile {
	const { "escrow-file": path, "escrow-key": key } = options;
	if (typeof path !== "string" || typeof key !== "string")
		throw new UsageError("Escrow needs both --escrow-file FILE and --escrow-key FILE.");
	try {
		return new EscrowFile(path, readFileSync(key, "utf8"));
	} catch (error) {
		const { code, message } = error as NodeJS.ErrnoException;
		throw new Failure(`The escrow to ${path} for the key in ${key} cannot be set up (${code ?? message}).`);
	}
}
