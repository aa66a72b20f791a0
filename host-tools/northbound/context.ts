import { type ApplicationServer, mayNotify } from "./application-server.js";
import type { HsePort, OtherHses, SessionView } from "./hse-port.js";
import type { Notifications } from "./notifier.js";
import { invalid, Problem } from "./problem.js";
import type { Reachability } from "./reachability.js";
import type { Resources } from "./resources.js";
import { type Steps, wait } from "./steps.js";
import type { UeDirectory, UeEntry, UeName } from "./ue-directory.js";

/** Bounds on what one application server can make this side keep. */
export interface NorthboundLimits {
	readonly configurations: number;
	/** Configurations of one UE: each of its uplinks becomes a notification of each. */
	readonly configurationsOfUe: number;
	readonly subscriptions: number;
	readonly commands: number;
	/** Downlinks that wait for one UE. */
	readonly buffered: number;
}

export const LIMITS_OF_A_SERVER: NorthboundLimits = {
	configurations: 100_000,
	configurationsOfUe: 16,
	subscriptions: 1000,
	commands: 10_000,
	buffered: 64,
};

/** What the services of the northbound side share. */
export interface NorthboundContext {
	readonly hse: HsePort;
	/** Undefined where no other HSE shares the store. */
	readonly others?: OtherHses | undefined;
	readonly store: Resources;
	readonly directory: UeDirectory;
	readonly notifier: Notifications;
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

/** A session, at whichever HSE it is. */
export function* sessionById({ hse, others }: NorthboundContext, sessionId: number): Steps<SessionView | undefined> {
	return hse.session(sessionId) ?? (others && (yield* wait(others.session(sessionId))));
}

/** The confirmed session of a UE, at whichever HSE it is. */
export function* sessionOf({ hse, others }: NorthboundContext, imsi: string): Steps<SessionView | undefined> {
	return hse.sessionOf(imsi) ?? (others && (yield* wait(others.sessionsOf([imsi]))).at(0));
}

/** The confirmed sessions of some UEs, in the order of the UEs. */
export function* sessionsOf({ hse, others }: NorthboundContext, imsis: readonly string[]): Steps<SessionView[]> {
	const sessions = new Map<string, SessionView>();
	const elsewhere: string[] = [];
	for (const imsi of imsis) {
		const session = hse.sessionOf(imsi);
		if (session === undefined) elsewhere.push(imsi);
		else sessions.set(imsi, session);
	}
	if (others !== undefined && elsewhere.length > 0)
		for (const session of yield* wait(others.sessionsOf(elsewhere))) sessions.set(session.imsi, session);
	return imsis.flatMap((imsi) => sessions.get(imsi) ?? []);
}

/** Brings a session to this HSE. @returns whether it is here: it stays until the next thing that is waited for */
export function* bring({ hse, others, store }: NorthboundContext, sessionId: number): Steps<boolean> {
	if (others === undefined || hse.session(sessionId) !== undefined) return true;
	// It can take as long as a lease lasts: no lock is held meanwhile.
	yield* wait(store.commit());
	return yield* wait(others.bring(sessionId));
}

/** Whether a UE was heard so lately, by any HSE, that it listens. */
export function* isListening({ reachability, store, now }: NorthboundContext, imsi: string): Steps<boolean> {
	if (reachability.isReachable(imsi, now())) return true;
	const at = (yield* wait(store.heardAt([imsi]))).get(imsi);
	return at !== undefined && reachability.isRecent(at, now());
}
