import { readFileSync } from "node:fs";
import { MODE } from "../../firmware/emsdp/profile.js";
import type { TlsIdentity } from "../eas/https.js";
import { sessionIdText } from "../hex.js";
import type { AuditLog } from "../hse/audit.js";
import { EAS_PORT, type HseServerConfiguration } from "../hse/configuration.js";
import type { DisclosureEntry } from "../hse/eas-gateway.js";
import { EscrowFile } from "../hse/escrow-file.js";
import type { EasKeyPolicy, Policy } from "../hse/policy.js";
import type { EasOptions } from "../hse/server.js";
import type { EasRegistrations } from "../hse/shared-eas.js";
import type { Awaitable } from "../hse/subscriber-database.js";
import { Failure } from "./errors.js";
import { readTls } from "./tls.js";

/** What the policy of the HSE says of EASs. */
export function easPolicy({ eas, easIds }: HseServerConfiguration): Partial<Policy> {
	return { ...(easIds && { easIds }), ...(eas && { modes: [MODE.ueToHse, MODE.ueToEas] }) };
}

/** What the audit and a person, or a program, that watches are told. */
export interface EasWatcher {
	readonly audit: AuditLog;
	print(event: Readonly<Record<string, unknown>>): void;
}

/** @returns undefined where no EAS may register @throws Failure where a file cannot be read */
export function readEasTls(configuration: HseServerConfiguration): TlsIdentity | undefined {
	const { eas, easCertificate: certificate, easPrivateKey: privateKey, easAuthority: authority } = configuration;
	return eas ? readTls({ certificate, privateKey, authority }, "hse", "eas-") : undefined;
}

/** @param policyOf what the database says of a subscriber */
export function easOptions(
	{ easAddress, easPort, easKey }: HseServerConfiguration,
	tls: TlsIdentity,
	policyOf: (imsi: string) => Awaitable<EasKeyPolicy | undefined>,
	registrations: EasRegistrations | undefined,
	escrow: EscrowFile | undefined,
	{ audit, print }: EasWatcher,
): EasOptions {
	return {
		tls,
		address: easAddress ?? "127.0.0.1",
		port: easPort ?? EAS_PORT,
		easKeyPolicy: (imsi) => {
			const policy = policyOf(imsi);
			return policy instanceof Promise ? policy.then((found) => found ?? easKey) : (policy ?? easKey);
		},
		registrations,
		escrow,
		onDisclosure: ({ sessionId, ...rest }: DisclosureEntry) => {
			const entry = { ...rest, sessionId: sessionIdText(sessionId) };
			audit.record(entry.cause === 0 ? "EAS key given out" : "EAS key refused", entry);
			print({ kind: "key disclosure", ...entry });
		},
		onEas: (easId, isThere) => print({ kind: isThere ? "EAS registered" : "EAS gone", easId }),
	};
}

/** @returns undefined where there is no escrow @throws Failure */
export function openEscrow({ escrowFile, escrowKey }: HseServerConfiguration): EscrowFile | undefined {
	if (escrowFile === undefined || escrowKey === undefined) return undefined;
	try {
		return new EscrowFile(escrowFile, readFileSync(escrowKey, "utf8"));
	} catch (error) {
		const { code, message } = error as NodeJS.ErrnoException;
		throw new Failure(`The escrow to ${escrowFile} for the key in ${escrowKey} cannot be set up (${code ?? message}).`);
	}
}
