import type { EasKeyPolicy } from "../hse/policy.js";

/** A UE as application servers know it: they never see its IMSI. */
export interface UeEntry {
	/** Digits. */
	readonly imsi: string;
	/** External Identifier, `local@domain` (TS 23.682 4.6.2). */
	readonly externalId: string;
	/** Digits. */
	readonly msisdn?: string | undefined;
	/** The one application server that it belongs to. */
	readonly applicationServer: string;
	readonly keyPolicy: EasKeyPolicy;
}

/** For trying things: every UE that is not listed belongs to one application server, as `IMSI@domain`. */
export interface Rest {
	readonly applicationServer: string;
	readonly domain: string;
	readonly keyPolicy: EasKeyPolicy;
}

/** What names a UE in a request: exactly one of both. */
export interface UeName {
	readonly externalId?: string | undefined;
	readonly msisdn?: string | undefined;
}

/** Which UE belongs to which application server. */
export class UeDirectory {
	private readonly byImsi = new Map<string, UeEntry>();
	private readonly byExternalId = new Map<string, UeEntry>();
	private readonly byMsisdn = new Map<string, UeEntry>();
	/** IMSIs of listed UEs in order, by application server. */
	private readonly listed = new Map<string, string[]>();
	private readonly rest: Rest | undefined;

	/** @throws RangeError where an IMSI, an External Identifier or an MSISDN occurs twice */
	constructor(entries: Iterable<UeEntry>, rest?: Rest) {
		this.rest = rest;
		for (const entry of entries) {
			add(this.byImsi, "IMSI", entry.imsi, entry);
			add(this.byExternalId, "External Identifier", entry.externalId, entry);
			if (entry.msisdn !== undefined) add(this.byMsisdn, "MSISDN", entry.msisdn, entry);
			const { applicationServer, imsi } = entry;
			const own = this.listed.get(applicationServer);
			if (own === undefined) this.listed.set(applicationServer, [imsi]);
			else own.push(imsi);
		}
		for (const imsis of this.listed.values()) imsis.sort();
	}

	ofImsi(imsi: string): UeEntry | undefined {
		return this.byImsi.get(imsi) ?? this.unlisted(imsi);
	}

	/** A UE of an application server; undefined where there is none of this name, or it is another's. */
	find(applicationServer: string, { externalId, msisdn }: UeName): UeEntry | undefined {
		const entry =
			externalId === undefined
				? this.byMsisdn.get(msisdn ?? "")
				: (this.byExternalId.get(externalId) ?? this.named(externalId));
		return entry?.applicationServer === applicationServer ? entry : undefined;
	}

	/** Whether UEs that are not listed belong to an application server. */
	hasUnlisted(applicationServer: string): boolean {
		return this.rest?.applicationServer === applicationServer;
	}

	/**
	 * UEs that can have a session and belong to an application server, in the order of their IMSIs.
	 * @param after an IMSI: those behind it; empty: all
	 * @param present IMSIs of those with a session, for what is not listed
	 */
	*uesAfter(applicationServer: string, after: string, present: () => Iterable<string>): Generator<UeEntry, void> {
		const imsis = this.hasUnlisted(applicationServer)
			? Array.from(present())
					.filter((imsi) => imsi > after)
					.sort()
			: (this.listed.get(applicationServer) ?? []);
		for (const imsi of imsis) {
			const ue = imsi > after ? this.ofImsi(imsi) : undefined;
			if (ue?.applicationServer === applicationServer) yield ue;
		}
	}

	private unlisted(imsi: string): UeEntry | undefined {
		if (this.rest === undefined || imsi === "") return undefined;
		const { applicationServer, domain, keyPolicy } = this.rest;
		return { imsi, externalId: `${imsi}@${domain}`, applicationServer, keyPolicy };
	}

	private named(externalId: string): UeEntry | undefined {
		const [imsi, domain] = externalId.split("@");
		if (domain !== this.rest?.domain || !/^\d{6,15}$/.test(imsi) || this.byImsi.has(imsi)) return undefined;
		return this.unlisted(imsi);
	}
}

function add(map: Map<string, UeEntry>, what: string, key: string, entry: UeEntry): void {
	if (map.has(key)) throw new RangeError(`The ${what} of a UE occurs twice (External Identifier ${entry.externalId}).`);
	map.set(key, entry);
}
