import type { Statement } from "libsql";
import type { HseDatabase } from "./database.js";
import type { SessionPlaces } from "./session-places.js";
import type { SessionBatch } from "./store.js";

/** A batch on its way to the thread that writes it: the octets of all puts stand one after another. */
export interface PackedBatch extends Pick<SessionBatch, "number" | "counts" | "forgetBelow"> {
	/** Of the puts, as are {@link sessionIds} and {@link ends}. */
	readonly places: Float64Array;
	readonly sessionIds: Uint32Array;
	/** Where the octets of each session end. */
	readonly ends: Uint32Array;
	/** Secret. */
	readonly octets: Uint8Array<ArrayBuffer>;
	/** Places of sessions that are over. */
	readonly removals: readonly number[];
}

/** @returns a copy, whose octets can be handed over to a thread. Sessions that are new have a place from now on. */
export function packBatch(
	{ number, puts, removals, counts, forgetBelow }: SessionBatch,
	known: SessionPlaces,
): PackedBatch {
	const places = new Float64Array(puts.length);
	const sessionIds = new Uint32Array(puts.length);
	const ends = new Uint32Array(puts.length);
	let end = 0;
	for (let i = 0; i < puts.length; i++) {
		const { sessionId } = puts[i];
		places[i] = known.take(sessionId);
		sessionIds[i] = sessionId;
		end += puts[i].octets.length;
		ends[i] = end;
	}
	const octets = new Uint8Array(end);
	for (let i = 0; i < puts.length; i++) octets.set(puts[i].octets, i === 0 ? 0 : ends[i - 1]);
	const removed = removals.map((sessionId) => known.find(sessionId)).filter((place) => place !== undefined);
	return { number, places, sessionIds, ends, octets, removals: removed, counts, forgetBelow };
}

/** A handle for octets: a view, since SQLite's driver takes Buffers only. */
const blob = (octets: Uint8Array, start = 0, end = octets.length) =>
	Buffer.from(octets.buffer, octets.byteOffset + start, end - start);

/** Writes batches of sessions to the HSE's SQLite file. */
export class SessionWriter {
	private readonly put: Statement;
	private readonly remove: Statement;
	private readonly journal: Statement;
	private readonly forget: Statement;

	constructor(database: HseDatabase) {
		this.put = database.prepare(
			"INSERT OR REPLACE INTO session (place, session_id, batch, packed) VALUES (?, ?, ?, ?)",
		);
		this.remove = database.prepare("DELETE FROM session WHERE place = ?");
		this.journal = database.prepare("INSERT OR REPLACE INTO uplink_counts (batch, counts) VALUES (?, ?)");
		this.forget = database.prepare("DELETE FROM uplink_counts WHERE batch < ?");
	}

	/** Part of a transaction. @throws what SQLite says */
	write({ number, places, sessionIds, ends, octets, removals, counts, forgetBelow }: PackedBatch): void {
		for (let i = 0, start = 0; i < ends.length; start = ends[i++])
			this.put.run([places[i], sessionIds[i], number, blob(octets, start, ends[i])]);
		for (const place of removals) this.remove.run([place]);
		if (counts.length > 0) this.journal.run([number, blob(counts)]);
		if (forgetBelow > 0) this.forget.run([forgetBelow]);
	}
}
