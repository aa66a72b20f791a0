import { type ApplicationServer, mayNotify } from "./application-server.js";
import type { HsePort } from "./hse-port.js";
import type { NorthboundStore } from "./northbound-store.js";
import type { Notifier } from "./notifier.js";
import { invalid, Problem } from "./problem.js";
import type { Reachability } from "./reachability.js";
import type { UeDirectory, UeEntry, UeName } from "./ue-directory.js";

/** Bounds on what one application server can make this side keep. */
export interface NorthboundLimits {
	readonly configurations: number;
	readonly subscriptions: number;
	readonly commands: number;
	/** Downlinks that wait for one UE. */
	readonly buffered: number;
}

export const LIMITS_OF_A_SERVER: NorthboundLimits = {
	configurations: 100_000,
	subscriptions: 1000,
	commands: 10_000,
	buffered: 64,
};

/** What the services of the northbound side share. */
export interface NorthboundContext {
	readonly hse: HsePort;
	readonly store: NorthboundStore;
	readonly directory: UeDirectory;
	readonly notifier: Notifier;
	readonly reachability: Reachability;
	readonly limits: NorthboundLimits;
	/** Where both APIs stand, without a slash at the end: `https://hse.example:8443`. */
	readonly apiRoot: string;
	/** Milliseconds since 1970. */
	now(): number;
	/** A fresh identifier that nobody can guess, of characters that need no escape in a URI. */
	newId(): string;
}

/**
 * The UE that a request names.
 * @throws Problem 403 where it is none of this application server: whether it is another's or nobody's is not told
 */
export function ueOf({ directory }: NorthboundContext, applicationServer: string, name: UeName): UeEntry {
	const entry = directory.find(applicationServer, name);
	if (entry === undefined)
		throw new Problem(403, "UE_NOT_AUTHORIZED", "No UE of this name belongs to this application server.");
	return entry;
}

/** The External Identifier or MSISDN of a UE, by the one that the application server used. */
export function nameOf({ externalId, msisdn }: UeName): UeName {
	return externalId === undefined ? { msisdn } : { externalId };
}

/** @throws Problem where the application server may not have notifications sent there */
export function checkDestination(applicationServer: ApplicationServer, destination: string, param: string): void {
	if (!URL.canParse(destination)) throw invalid(param, "must be an absolute URI");
	if (!mayNotify(applicationServer, destination))
		throw new Problem(
			403,
			"NOTIFICATION_DESTINATION_NOT_ALLOWED",
			"Notifications of this application server may not go there: its origin is not among those agreed.",
			{ invalidParams: [{ param, reason: "origin not allowed" }] },
		);
}

/** @throws Problem where an application server has as many of a kind as it may */
export function checkQuota(present: number, most: number, what: string): void {
	if (present >= most)
		throw new Problem(403, "QUOTA_EXCEEDED", `There are ${present} ${what} already, as many as may be: remove some.`);
}

/** The URI of a WebSocket beside a resource. */
export function websocketUriOf(self: string): string {
	return `${self.replace(/^http/, "ws")}/websocket`;
}
