import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TestAuthority } from "../../host-tools/ca/ca.js";

/** Files of a certificate and its key. */
export interface Certificate {
	readonly certificate: string;
	readonly key: string;
}

/** A test authority whose certificates are files in a folder. */
export class TestCa {
	readonly file: string;
	private readonly folder: string;
	private readonly authority: TestAuthority;

	private constructor(folder: string, name: string, authority: TestAuthority) {
		this.folder = folder;
		this.authority = authority;
		this.file = join(folder, `${name}.pem`);
		writeFileSync(this.file, authority.certificate);
	}

	/** @param days that it and its certificates last; below 0 they are over */
	static async create(folder: string, name: string, days = 1): Promise<TestCa> {
		return new TestCa(folder, name, await TestAuthority.create(days));
	}

	/** @param id name of the files @param name that the certificate is for @param hosts and further names and addresses */
	async issue(id: string, name: string, hosts: readonly string[] = []): Promise<Certificate> {
		const { certificate, key } = await this.authority.issue(name, hosts);
		const files = { certificate: join(this.folder, `${id}.pem`), key: join(this.folder, `${id}.key`) };
		writeFileSync(files.certificate, certificate);
		writeFileSync(files.key, key);
		return files;
	}
}

/** What a TLS client or server is given. */
export function pemOf({ certificate, key }: Certificate): { readonly cert: string; readonly key: string } {
	return { cert: readFileSync(certificate, "utf8"), key: readFileSync(key, "utf8") };
}
