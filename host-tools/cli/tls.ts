import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TlsIdentity } from "../eas/https.js";
import { Failure } from "./errors.js";
import { type OptionRow, type Options, textOption } from "./options.js";

/** The folder that `best ca` writes, unless it is told otherwise. */
export const CA_DIRECTORY = "best-ca";

/** The options of a command that speaks HTTPS with mutual TLS. @param who whose files are the default */
export function tlsOptions(who: string): Readonly<Record<string, OptionRow>> {
	return {
		certificate: { value: "FILE", help: `certificate, PEM (${fileOf(who, "pem")})` },
		key: { value: "FILE", help: `its private key, PEM (${fileOf(who, "key")})` },
		authority: { value: "FILE", help: `whom the other end's certificate must be of, PEM (${CA_DIRECTORY}/ca.pem)` },
	};
}

/** @throws Failure where a file cannot be read */
export function readTls(options: Options, who: string): TlsIdentity {
	const read = (name: string, fallback: string) => {
		const path = textOption(options, name, fallback);
		try {
			return readFileSync(path, "utf8");
		} catch (error) {
			const why = (error as NodeJS.ErrnoException).code;
			throw new Failure(`The file ${path} cannot be read (${why}): name one with --${name}, or make one with best ca.`);
		}
	};
	return {
		certificate: read("certificate", fileOf(who, "pem")),
		key: read("key", fileOf(who, "key")),
		authority: read("authority", join(CA_DIRECTORY, "ca.pem")),
	};
}

/** Where `best ca` puts the certificate of somebody, or its key. */
export function fileOf(who: string, ending: "pem" | "key", directory = CA_DIRECTORY): string {
	return join(directory, `${encodeURIComponent(who)}.${ending}`);
}
