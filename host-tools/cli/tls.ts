import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import type { TlsIdentity } from "../eas/https.js";
import { Failure } from "./errors.js";
import type { OptionRow, Options } from "./options.js";

/** The folder that `best ca` writes, unless it is told otherwise. */
export const CA_DIRECTORY = "best-ca";

/** The certificate of the authority itself there. */
export const CA_FILE = join(CA_DIRECTORY, "ca.pem");

/** PEM files of an end that speaks HTTPS with mutual TLS, where they are not those of `best ca`. */
export interface TlsFiles {
	readonly certificate?: string | undefined;
	readonly privateKey?: string | undefined;
	readonly authority?: string | undefined;
}

/** The options of a command that speaks HTTPS with mutual TLS. @param who whose files are the default */
export function tlsOptions(who: string): Readonly<Record<string, OptionRow>> {
	return {
		certificate: { value: "FILE", help: `certificate, PEM (${fileOf(who, "pem")})` },
		"private-key": { value: "FILE", help: `its private key, PEM (${fileOf(who, "key")})` },
		authority: { value: "FILE", help: `whom the other end's certificate must be of, PEM (${CA_FILE})` },
	};
}

/** The files that the options name. */
export function tlsFilesOf(options: Options): TlsFiles {
	const file = (name: string) => {
		const value = options[name];
		return typeof value === "string" ? value : undefined;
	};
	return { certificate: file("certificate"), privateKey: file("private-key"), authority: file("authority") };
}

/** @param prefix of the options that name the files @throws Failure where a file cannot be read */
export function readTls({ certificate, privateKey, authority }: TlsFiles, who: string, prefix = ""): TlsIdentity {
	const files = [certificate ?? fileOf(who, "pem"), privateKey ?? fileOf(who, "key"), authority ?? CA_FILE];
	const options = ["certificate", "private-key", "authority"];
	const [cert, key, ca] = files.map((path, i) => read(path, `--${prefix}${options[i]}`));
	checkTls({ cert, key, ca }, files);
	return { certificate: cert, key, authority: ca };
}

/** @param files that these are from: certificate, key, authority @throws Failure where TLS cannot use them */
export function checkTls(pem: SecureContextOptions, files: readonly (string | undefined)[]): void {
	try {
		createSecureContext(pem);
	} catch (error) {
		const names = files.filter((path) => path !== undefined).join(", ");
		const why = (error as NodeJS.ErrnoException).code;
		throw new Failure(`TLS cannot use ${names} (${why}): certificates in PEM are needed, and the key of the first.`);
	}
	// TLS takes a file without a certificate for one that trusts nobody.
	const [authority] = [pem.ca ?? []].flat();
	if (authority !== undefined && !isCertificate(authority))
		throw new Failure(`TLS cannot use ${files[2]}: it begins with no certificate in PEM that others could be of.`);
}

function isCertificate(pem: string | Buffer): boolean {
	try {
		return new X509Certificate(pem).raw.length > 0;
	} catch {
		return false;
	}
}

function read(path: string, option: string): string {
	try {
		return readFileSync(path, "utf8");
	} catch (error) {
		const why = (error as NodeJS.ErrnoException).code;
		throw new Failure(`The file ${path} cannot be read (${why}): name one with ${option}, or make one with best ca.`);
	}
}

/** Where `best ca` puts the certificate of somebody, or its key. */
export function fileOf(who: string, ending: "pem" | "key", directory = CA_DIRECTORY): string {
	return join(directory, `${encodeURIComponent(who)}.${ending}`);
}
