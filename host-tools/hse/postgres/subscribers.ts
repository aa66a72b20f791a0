import { SQN_STEP } from "../../../firmware/keys/aka.js";
import type { TuakParameters } from "../../../firmware/keys/tuak.js";
import { movedOut } from "../../octets.js";
import { type SharedKeySubscriber, type Subscriber, type SubscriberSummary, takenAlready } from "../database.js";
import type { EasKeyPolicy } from "../policy.js";
import type { SubscriberDatabase } from "../subscriber-database.js";
import { asDatabaseError, type Client, Connection } from "./connection.js";
import { migrate } from "./schema.js";

interface Row {
	readonly imsi: string;
	readonly k: Buffer;
	readonly opc: Buffer;
	readonly amf: Buffer;
	/** A bigint as text. */
	readonly sqn: string;
	readonly enabled: boolean;
	readonly tuak_res_octets: number | null;
	readonly tuak_iterations: number | null;
}

interface SharedKeyRow {
	readonly imsi: string;
	readonly reference: Buffer;
	readonly k: Buffer;
	readonly enabled: boolean;
}

interface SummaryRow {
	readonly imsi: string;
	readonly enabled: boolean;
	readonly amf: string | null;
	readonly sqn: string | null;
	readonly tuak_iterations: number | null;
	readonly eas_key: EasKeyPolicy;
}

/** Who waits for a subscriber with an SQN. */
interface Taker {
	readonly imsi: string;
	resolve(subscriber: Subscriber | undefined): void;
	reject(error: Error): void;
}

const COLUMNS = "imsi, k, opc, amf, sqn, enabled, tuak_res_octets, tuak_iterations";
const SQNS = 2 ** 48;
/** SQNs that one statement takes. */
const MOST_TAKEN = 256;
/** Rows of a list that are fetched at a time. */
const PAGE = 500;

function subscriberOf(row: Row, sqn = Number(row.sqn)): Subscriber {
	const { imsi, enabled, tuak_res_octets: resOctets, tuak_iterations: iterations } = row;
	const tuak = resOctets === null ? undefined : ({ resOctets, iterations } as TuakParameters);
	return { imsi, k: movedOut(row.k), opc: movedOut(row.opc), amf: movedOut(row.amf), sqn, enabled, tuak };
}

function sharedKeyOf(row: SharedKeyRow | undefined): SharedKeySubscriber | undefined {
	if (row === undefined) return undefined;
	return { imsi: row.imsi, reference: movedOut(row.reference), key: movedOut(row.k), enabled: row.enabled };
}

/** Subscribers and their SQNs in a PostgreSQL that several HSEs share. */
export class PostgresSubscribers implements SubscriberDatabase {
	private readonly connection: Connection;
	private takers: Taker[] = [];
	private isTaking = false;

	constructor(url: string) {
		this.connection = new Connection(url);
	}

	migrate(): Promise<void> {
		return this.use(migrate);
	}

	close(): Promise<void> {
		return this.connection.end();
	}

	async addSubscriber({ imsi, k, opc, amf, sqn, enabled, tuak }: Subscriber): Promise<void> {
		const secrets = [Buffer.from(k), Buffer.from(opc)];
		const { resOctets, iterations } = tuak ?? { resOctets: null, iterations: null };
		try {
			const { rowCount } = await this.use((client) =>
				client.query(
					`INSERT INTO best_subscriber (imsi, k, opc, amf, sqn, enabled, tuak_res_octets, tuak_iterations)
					VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
					[imsi, ...secrets, Buffer.from(amf), sqn, enabled, resOctets, iterations],
				),
			);
			if (rowCount === 0) throw takenAlready(imsi);
		} finally {
			for (const secret of secrets) secret.fill(0);
		}
	}

	async addSharedKey({ imsi, reference, key, enabled }: SharedKeySubscriber): Promise<void> {
		const secret = Buffer.from(key);
		try {
			const { rowCount } = await this.use((client) =>
				client.query(
					`INSERT INTO best_subscriber (imsi, k, enabled, reference) VALUES ($1, $2, $3, $4)
					ON CONFLICT DO NOTHING`,
					[imsi, secret, enabled, Buffer.from(reference)],
				),
			);
			if (rowCount === 0) throw takenAlready(imsi);
		} finally {
			secret.fill(0);
		}
	}

	/**
	 * A subscriber with an SQN that no other call gets, whichever process it is of.
	 * @returns undefined where there is none of this IMSI with AKA
	 */
	takeSqn(imsi: string): Promise<Subscriber | undefined> {
		return new Promise((resolve, reject) => {
			this.takers.push({ imsi, resolve, reject });
			if (!this.isTaking) this.takeAll();
		});
	}

	/** A subscriber with its next SQN, which is not taken. */
	async subscriber(imsi: string): Promise<Subscriber | undefined> {
		const { rows } = await this.use((client) =>
			client.query<Row>(`SELECT ${COLUMNS} FROM best_subscriber WHERE imsi = $1 AND reference IS NULL`, [imsi]),
		);
		return rows.length === 0 ? undefined : subscriberOf(rows[0]);
	}

	/** Sets the next SQN where it is still what it was. @returns whether it was */
	async replaceSqn(imsi: string, from: number, to: number): Promise<boolean> {
		const { rowCount } = await this.use((client) =>
			client.query("UPDATE best_subscriber SET sqn = $3 WHERE imsi = $1 AND sqn = $2", [imsi, from, to]),
		);
		return rowCount === 1;
	}

	/** @returns undefined where there is none of this reference */
	async sharedKey(reference: Uint8Array): Promise<SharedKeySubscriber | undefined> {
		const { rows } = await this.use((client) =>
			client.query<SharedKeyRow>("SELECT imsi, reference, k, enabled FROM best_subscriber WHERE reference = $1", [
				Buffer.from(reference),
			]),
		);
		return sharedKeyOf(rows[0]);
	}

	async sharedKeyOf(imsi: string): Promise<SharedKeySubscriber | undefined> {
		const { rows } = await this.use((client) =>
			client.query<SharedKeyRow>(
				"SELECT imsi, reference, k, enabled FROM best_subscriber WHERE imsi = $1 AND reference IS NOT NULL",
				[imsi],
			),
		);
		return sharedKeyOf(rows[0]);
	}

	async setEnabled(imsi: string, enabled: boolean): Promise<boolean> {
		const { rowCount } = await this.use((client) =>
			client.query("UPDATE best_subscriber SET enabled = $2 WHERE imsi = $1", [imsi, enabled]),
		);
		return rowCount === 1;
	}

	async setEasKeyPolicy(imsi: string, policy: EasKeyPolicy): Promise<void> {
		await this.use((client) => client.query("UPDATE best_subscriber SET eas_key = $2 WHERE imsi = $1", [imsi, policy]));
	}

	async easKeyPolicy(imsi: string): Promise<EasKeyPolicy | undefined> {
		const { rows } = await this.use((client) =>
			client.query<{ eas_key: EasKeyPolicy | null }>("SELECT eas_key FROM best_subscriber WHERE imsi = $1", [imsi]),
		);
		return rows[0]?.eas_key ?? undefined;
	}

	async *summaries(imsi?: string): AsyncGenerator<SubscriberSummary> {
		const rows = this.pages<SummaryRow>(
			`SELECT imsi, enabled, encode(amf, 'hex') AS amf, sqn, tuak_iterations, coalesce(eas_key, 'deny') AS eas_key
			FROM best_subscriber WHERE imsi > $1 AND ($2::text IS NULL OR imsi = $2)`,
			imsi,
		);
		for await (const { imsi, enabled, amf, sqn, tuak_iterations, eas_key: easKey } of rows)
			if (amf === null || sqn === null) yield { imsi, enabled, easKey, algorithm: "pre-shared key" };
			else {
				const algorithm = tuak_iterations === null ? "milenage" : "tuak";
				yield { imsi, enabled, easKey, algorithm, amf, sqn: Number(sqn) };
			}
	}

	async *subscribers(): AsyncGenerator<Subscriber> {
		const rows = this.pages<Row>(
			`SELECT ${COLUMNS} FROM best_subscriber
			WHERE imsi > $1 AND ($2::text IS NULL OR imsi = $2) AND reference IS NULL`,
		);
		for await (const row of rows) yield subscriberOf(row);
	}

	/** @param text takes the IMSI after which to go on, and the one that is meant, or null for all */
	private async *pages<R extends { readonly imsi: string }>(text: string, imsi?: string): AsyncGenerator<R> {
		for (let after = ""; ; ) {
			const { rows } = await this.use((client) =>
				client.query<R>(`${text} ORDER BY imsi LIMIT ${PAGE}`, [after, imsi ?? null]),
			);
			yield* rows;
			if (rows.length < PAGE) return;
			after = rows[rows.length - 1].imsi;
		}
	}

	/** Those who came while one statement was on its way share the next: one write to the medium is for all of them. */
	private async takeAll(): Promise<void> {
		this.isTaking = true;
		while (this.takers.length > 0) {
			const batch = new Map<string, Taker>();
			this.takers = this.takers.filter((taker) => {
				if (batch.size >= MOST_TAKEN || batch.has(taker.imsi)) return true;
				batch.set(taker.imsi, taker);
				return false;
			});
			await this.take(batch);
		}
		this.isTaking = false;
	}

	private async take(batch: ReadonlyMap<string, Taker>): Promise<void> {
		try {
			const { rows } = await this.use((client) =>
				client.query<Row>({
					name: "take",
					// Locked in one order, so that two processes never wait for each other.
					text: `WITH meant AS (
							SELECT imsi FROM best_subscriber WHERE imsi = ANY($1) AND reference IS NULL ORDER BY imsi FOR UPDATE
						)
						UPDATE best_subscriber SET sqn = (sqn + ${SQN_STEP}) % ${SQNS} FROM meant
						WHERE best_subscriber.imsi = meant.imsi RETURNING ${COLUMNS.replace("imsi", "meant.imsi")}`,
					values: [[...batch.keys()]],
				}),
			);
			const taken = new Map(rows.map((row) => [row.imsi, row]));
			for (const [imsi, { resolve }] of batch) {
				const row = taken.get(imsi);
				resolve(row && subscriberOf(row, (Number(row.sqn) - SQN_STEP + SQNS) % SQNS));
			}
		} catch (error) {
			for (const { reject } of batch.values()) reject(asDatabaseError(error));
		}
	}

	private async use<T>(work: (client: Client) => Promise<T>): Promise<T> {
		try {
			return await this.connection.use(work);
		} catch (error) {
			throw asDatabaseError(error);
		}
	}
}
