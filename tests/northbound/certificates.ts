import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Files of a certificate and its key. */
export interface Certificate {
	readonly certificate: string;
	readonly key: string;
}

/** Whether certificates can be made here. */
export function hasOpenssl(): boolean {
	try {
		execFileSync("openssl", ["version"], { stdio: "ignore" });
		return true;
	} catch {
		console.warn("openssl is missing: what needs certificates is skipped.");
		return false;
	}
}

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** Makes certificates for tests in a folder. */
export class TestCa {
	readonly file: string;
	private readonly folder: string;
	private readonly name: string;

	constructor(folder: string, name: string) {
		this.folder = folder;
		this.name = name;
		this.file = join(folder, `${name}.pem`);
		this.openssl(
			"req",
			"-x509",
			...KEY,
			"-subj",
			`/CN=${name}`,
			"-days",
			"2",
			"-keyout",
			this.keyOf(name),
			"-out",
			this.file,
		);
	}

	/** @param names subjectAltName, such as `DNS:meters.example` */
	issue(id: string, names: string): Certificate {
		const request = join(this.folder, `${id}.csr`);
		const extensions = join(this.folder, `${id}.ext`);
		const certificate = join(this.folder, `${id}.pem`);
		writeFileSync(extensions, `subjectAltName=${names}\n`);
		this.openssl("req", "-new", ...KEY, "-subj", `/CN=${id}`, "-keyout", this.keyOf(id), "-out", request);
		const signer = ["-CA", this.file, "-CAkey", this.keyOf(this.name), "-CAcreateserial"];
		this.openssl("x509", "-req", "-in", request, ...signer, "-days", "1", "-extfile", extensions, "-out", certificate);
		return { certificate, key: this.keyOf(id) };
	}

	private keyOf(id: string): string {
		return join(this.folder, `${id}.key`);
	}

	private openssl(...words: string[]): void {
		execFileSync("openssl", words, { stdio: "ignore" });
	}
}

/** What a TLS client or server is given. */
export function pemOf({ certificate, key }: Certificate): { readonly cert: string; readonly key: string } {
	return { cert: readFileSync(certificate, "utf8"), key: readFileSync(key, "utf8") };
}
