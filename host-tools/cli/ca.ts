import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TestAuthority } from "../ca/ca.js";
import { Failure, UsageError } from "./errors.js";
import { type Command, numberOption, textOption } from "./options.js";
import { CA_DIRECTORY, fileOf } from "./tls.js";

export const ca: Command = {
	name: "ca",
	summary: "make certificates for trying an HSE with EASs and application servers; never for production",
	options: {
		directory: { value: "DIR", help: `folder to write them into (${CA_DIRECTORY})` },
		"eas-ids": { value: "TEXT,…", help: "one certificate for each of these EAS Ids (meter.demo)" },
		"application-servers": { value: "TEXT,…", help: "and for each application server with one of these names (none)" },
		hosts: { value: "NAME,…", help: "names and addresses of the machine (localhost,127.0.0.1,::1)" },
		days: { value: "N", help: "how long they last (30)" },
	},
	example: "best ca --eas-ids meter.demo",
	async run(options) {
		const directory = textOption(options, "directory", CA_DIRECTORY);
		const listed = options["application-servers"];
		const names = [
			...textOption(options, "eas-ids", "meter.demo").split(","),
			...(typeof listed === "string" ? listed.split(",") : []),
		];
		const hosts = textOption(options, "hosts", "localhost,127.0.0.1,::1").split(",");
		if (["", "hse", "ca"].some((name) => names.includes(name)) || hosts.includes(""))
			throw new UsageError(
				'--eas-ids, --application-servers and --hosts take names, separated by commas; "hse" and "ca" are taken.',
			);
		if (new Set(names).size < names.length)
			throw new UsageError("--eas-ids and --application-servers name one twice: make them differ.");
		const authority = await TestAuthority.create(numberOption(options, "days", 30, 1, 365));
		const files: [string, string][] = [[join(directory, "ca.pem"), authority.certificate]];
		for (const who of ["hse", ...names]) {
			const { certificate, key } = await authority.issue(who, hosts);
			files.push([fileOf(who, "pem", directory), certificate], [fileOf(who, "key", directory), key]);
		}
		try {
			mkdirSync(directory, { recursive: true, mode: 0o700 });
			for (const [path, text] of files) writeFileSync(path, text, { flag: "wx", mode: 0o600 });
		} catch (error) {
			const { code, path } = error as NodeJS.ErrnoException;
			if (code === "EEXIST") throw new Failure(`There is ${path} already: name another --directory, or remove it.`);
			throw new Failure(`The file ${path} cannot be written (${code}): name another --directory.`);
		}
		console.log(`Certificates of hse and ${names.join(", ")} are in ${directory}.`);
		console.log(
			"They are for tests only, never for production: the authority's key is gone, and nothing can be revoked.",
		);
		return 0;
	},
};
