import { randomBytes, webcrypto } from "node:crypto";
import { isIP } from "node:net";
import type { Certificate, Extension } from "pkijs";
import type { TlsIdentity } from "../eas/https.js";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" } as const;
const DAY = 86_400_000;
/** Said in the authority's name, so that whoever meets a certificate of it can read it. */
const WARNING = "never for production";

// Object identifiers of RFC 5280.
const COMMON_NAME = "2.5.4.3";
const BASIC_CONSTRAINTS = "2.5.29.19";
const ALTERNATIVE_NAME = "2.5.29.17";
const EXTENDED_KEY_USAGE = "2.5.29.37";
const SERVER_AND_CLIENT = ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"];
// GeneralName (RFC 5280 4.2.1.6).
const DNS_NAME = 2;
const IP_ADDRESS = 7;

type KeyPair = webcrypto.CryptoKeyPair;

/** Loaded when it is needed: it takes as long as all the rest of the command. */
const loadLibrary = async () => ({ ...(await import("pkijs")), ...(await import("asn1js")) });
type Library = Awaited<ReturnType<typeof loadLibrary>>;

/** A test authority: it makes certificates for this machine and keeps no record of them. Never for production. */
export class TestAuthority {
	/** PEM. */
	readonly certificate: string;
	private readonly library: Library;
	private readonly keys: KeyPair;
	private readonly issuer: Certificate;
	private readonly days: number;

	private constructor(library: Library, keys: KeyPair, issuer: Certificate, days: number) {
		this.library = library;
		this.keys = keys;
		this.issuer = issuer;
		this.certificate = pem("CERTIFICATE", issuer.toSchema(true).toBER(false));
		this.days = days;
	}

	/** An authority with a fresh key, which is nowhere but in this object. @param days that it and its certificates last */
	static async create(days = 30): Promise<TestAuthority> {
		const library = await loadLibrary();
		const keys = await generateKeys();
		const certificate = await unsigned(
			library,
			`best test CA ${randomBytes(4).toString("hex")}: ${WARNING}`,
			keys,
			days,
		);
		certificate.issuer = certificate.subject;
		certificate.extensions = [
			extension(
				library,
				BASIC_CONSTRAINTS,
				new library.BasicConstraints({ cA: true, pathLenConstraint: 0 }).toSchema(),
				true,
			),
		];
		await certificate.sign(keys.privateKey, "SHA-256");
		return new TestAuthority(library, keys, certificate, days);
	}

	/**
	 * A certificate for a server and client in one.
	 * @param name its common name and a DNS name of it: an EAS Id, for an EAS
	 * @param hosts further DNS names and IP addresses
	 */
	async issue(name: string, hosts: readonly string[] = []): Promise<TlsIdentity> {
		const { library } = this;
		const { BasicConstraints, ExtKeyUsage, GeneralName, GeneralNames, OctetString } = library;
		const keys = await generateKeys();
		const certificate = await unsigned(library, name, keys, this.days);
		certificate.issuer = this.issuer.subject;
		// A name of the DNS is of ASCII; another stands in the common name only.
		const dnsNames = [name, ...hosts].filter((host) => isIP(host) === 0 && /^[\x21-\x7e]+$/.test(host));
		const addresses = hosts.filter((host) => isIP(host) !== 0);
		const names = [
			...dnsNames.map((value) => new GeneralName({ type: DNS_NAME, value })),
			...addresses.map(
				(address) =>
					new GeneralName({ type: IP_ADDRESS, value: new OctetString({ valueHex: addressOctets(address) }) }),
			),
		];
		certificate.extensions = [
			extension(library, BASIC_CONSTRAINTS, new BasicConstraints({ cA: false }).toSchema(), true),
			extension(library, EXTENDED_KEY_USAGE, new ExtKeyUsage({ keyPurposes: SERVER_AND_CLIENT }).toSchema()),
			...(names.length > 0 ? [extension(library, ALTERNATIVE_NAME, new GeneralNames({ names }).toSchema())] : []),
		];
		await certificate.sign(this.keys.privateKey, "SHA-256");
		return {
			certificate: pem("CERTIFICATE", certificate.toSchema(true).toBER(false)),
			key: pem("PRIVATE KEY", await webcrypto.subtle.exportKey("pkcs8", keys.privateKey)),
			authority: this.certificate,
		};
	}
}

function generateKeys(): Promise<KeyPair> {
	return webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]) as Promise<KeyPair>;
}

async function unsigned(library: Library, name: string, keys: KeyPair, days: number): Promise<Certificate> {
	const { AttributeTypeAndValue, Certificate, Integer, Time, Utf8String } = library;
	const certificate = new Certificate();
	certificate.version = 2;
	// RFC 5280 4.1.2.2: positive, at most 20 octets.
	const serial = randomBytes(16);
	serial[0] = (serial[0] & 0x7f) | 0x40;
	certificate.serialNumber = new Integer({ valueHex: Uint8Array.from(serial).buffer });
	certificate.subject.typesAndValues.push(
		new AttributeTypeAndValue({ type: COMMON_NAME, value: new Utf8String({ value: name }) }),
	);
	const now = Date.now();
	// An hour for clocks that are behind.
	certificate.notBefore = new Time({ value: new Date(now - DAY / 24) });
	certificate.notAfter = new Time({ value: new Date(now + days * DAY) });
	await certificate.subjectPublicKeyInfo.importKey(keys.publicKey);
	return certificate;
}

function extension(
	library: Library,
	extnID: string,
	value: { toBER(sizeOnly: boolean): ArrayBuffer },
	critical = false,
): Extension {
	return new library.Extension({ extnID, critical, extnValue: value.toBER(false) });
}

/** 4 or 16 octets of an address that isIP has taken. */
function addressOctets(address: string): ArrayBuffer {
	if (isIP(address) === 4) return Uint8Array.from(address.split("."), Number).buffer;
	// The form of URLs is the shortest one of RFC 5952: only "::" and groups of hexadecimal digits are left.
	const [head, tail = ""] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::");
	const groups = (text: string) => (text === "" ? [] : text.split(":")).map((group) => Number.parseInt(group, 16));
	const first = groups(head);
	const last = groups(tail);
	const all = [...first, ...new Array(8 - first.length - last.length).fill(0), ...last];
	return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff])).buffer;
}

function pem(label: string, octets: ArrayBuffer): string {
	const lines =
		Buffer.from(octets)
			.toString("base64")
			.match(/.{1,64}/g) ?? [];
	return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
