import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { z } from "zod";
import { Failure, UsageError } from "../cli/errors.js";
import { checkTls } from "../cli/tls.js";
import { EAS_KEY_POLICIES } from "../hse/policy.js";
import { issueInWords } from "../issue-words.js";
import type { ApplicationServer } from "./application-server.js";
import { ExternalId, Msisdn } from "./schemas.js";
import { UeDirectory, type UeEntry } from "./ue-directory.js";
import type { WebhookTls } from "./webhook.js";

const Imsi = z.string().regex(/^\d{6,15}$/, "must be 6 to 15 digits");
const ServerId = z
	.string()
	.min(1)
	.max(64)
	.regex(/^[A-Za-z0-9._~-]+$/, "must be letters, digits, and . _ ~ -");
const Origin = z
	.string()
	.refine((text) => text === "*" || (URL.canParse(text) && new URL(text).origin === text), "must be an origin, or *");

/** One line of a file of UEs. */
const Ue = z.strictObject({
	imsi: Imsi,
	externalId: ExternalId,
	msisdn: Msisdn.optional(),
	applicationServer: ServerId,
	keyPolicy: z.enum(EAS_KEY_POLICIES).default("deny"),
});

const Server = z.strictObject({
	id: ServerId,
	certificateNames: z.array(z.string().min(1)).default([]),
	clientSecretSha256: z
		.string()
		.regex(/^[0-9a-f]{64}$/, "must be 64 hex digits")
		.optional(),
	notificationOrigins: z.array(Origin).default([]),
	rate: z
		.strictObject({ perSecond: z.number().positive(), burst: z.int().min(1) })
		.default({ perSecond: 100, burst: 200 }),
});

/** What the configuration file says of the northbound side: what does not fit on a command line. */
export const NorthboundFile = z.strictObject({
	/** Where clients find the APIs, if not at the address and port. */
	apiRoot: z.url({ protocol: /^https?$/ }).optional(),
	tls: z
		.strictObject({
			certificate: z.string().describe("PEM file."),
			key: z.string().describe("PEM file."),
			clientCa: z.string().optional().describe("PEM file: who signs the certificates of application servers."),
		})
		.optional(),
	/** Where access tokens come from, if not from here. */
	oauth: z.strictObject({ issuer: z.string(), jwksUri: z.url(), audience: z.string() }).optional(),
	applicationServers: z.array(Server).default([]),
	/** UEs, or a file of them with one JSON object on each line. */
	ues: z.union([z.array(Ue), z.string()]).default([]),
	/** All other UEs belong to this server, as `IMSI@domain`: for a laboratory. */
	otherUes: z
		.strictObject({
			applicationServer: ServerId,
			domain: z.string().min(1),
			keyPolicy: z.enum(EAS_KEY_POLICIES).default("deny"),
		})
		.optional(),
	webhooks: z
		.strictObject({ ca: z.string().optional(), certificate: z.string().optional(), key: z.string().optional() })
		.default({})
		.describe("PEM files: whom to believe, and who this is."),
	/** Seconds that a UE listens after it has sent something. */
	listensFor: z.number().min(0).default(10),
	/** Seconds that a request waits for a UE's answer. */
	answerWithin: z.number().min(0).max(60).default(5),
});

export type NorthboundSettings = z.infer<typeof NorthboundFile>;

/** @throws Failure */
function readPem(path: string, what: string): string {
	try {
		return readFileSync(path, "utf8");
	} catch (error) {
		throw new Failure(
			`The file ${path} (${what}) cannot be read (${(error as NodeJS.ErrnoException).code}): mend its name or its rights.`,
		);
	}
}

/** PEM files of an end of TLS: who it is, and whom it believes. */
export interface TlsFiles {
	readonly certificate?: string | undefined;
	readonly key?: string | undefined;
	readonly ca?: string | undefined;
}

/** What these files hold. @throws Failure where one cannot be read, or TLS cannot use them */
export function readTls({ certificate, key, ca }: TlsFiles, what: string): WebhookTls {
	const read = (path: string | undefined) => (path === undefined ? undefined : readPem(path, what));
	const options = { cert: read(certificate), key: read(key), ca: read(ca) };
	checkTls(options, [certificate, key, ca]);
	return options;
}

/** @throws UsageError where entries contradict each other or a file of UEs is wrong */
export function directoryOf(
	{ ues, otherUes }: Pick<NorthboundSettings, "ues" | "otherUes">,
	servers: readonly ApplicationServer[],
): UeDirectory {
	const entries = typeof ues === "string" ? readUes(ues) : ues;
	const known = new Set(servers.map(({ id }) => id));
	const stray = [...entries, ...(otherUes ? [otherUes] : [])].find((entry) => !known.has(entry.applicationServer));
	if (stray !== undefined)
		throw new UsageError(`UEs belong to the application server "${stray.applicationServer}", which is not configured.`);
	try {
		return new UeDirectory(entries, otherUes);
	} catch (error) {
		if (error instanceof RangeError) throw new UsageError(error.message);
		throw error;
	}
}

function readUes(path: string): UeEntry[] {
	return readPem(path, "UEs")
		.split("\n")
		.flatMap((line, index) => {
			if (line.trim() === "") return [];
			let value: unknown;
			try {
				value = JSON.parse(line);
			} catch {
				throw new UsageError(`${path}, line ${index + 1}: must be a JSON object.`);
			}
			const { success, data, error } = Ue.safeParse(value, { error: issueInWords });
			if (success) return [data];
			const [{ path: at, message }] = error.issues;
			throw new UsageError(`${path}, line ${index + 1}: ${[...at, message].join(": ")}.`);
		});
}

/** @throws UsageError where two application servers have one name */
export function checkServers(servers: readonly ApplicationServer[]): void {
	const names = servers.flatMap(({ id, certificateNames }) => [`id ${id}`, ...certificateNames]);
	const twice = names.find((name, index) => names.indexOf(name) !== index);
	if (twice !== undefined) throw new UsageError(`Two application servers have the name "${twice}": make them differ.`);
}

/** Whether nobody but this machine can connect. */
export function isLoopback(address: string): boolean {
	return address === "::1" || (isIP(address) === 4 && address.startsWith("127."));
}
