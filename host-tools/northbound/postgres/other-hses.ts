import type pg from "pg";
import { decodeImsi, encodeImsi } from "../../../firmware/emsdp/imsi.js";
import { asDatabaseError, openPool } from "../../hse/postgres/connection.js";
import { viewOfStored } from "../../hse/stored-session.js";
import type { OtherHses, SessionView } from "../hse-port.js";
import { STATEMENT_TIMEOUT } from "./resources.js";

const MOST_CONNECTIONS = 4;

interface Row {
	readonly packed: Buffer;
}

/** Sessions of all HSEs on one PostgreSQL, as they were last stored. */
export class PostgresSessions implements OtherHses {
	private readonly pool: pg.Pool;
	private readonly bringHere: OtherHses["bring"];

	constructor(url: string, bringHere: OtherHses["bring"]) {
		this.pool = openPool(url, MOST_CONNECTIONS, STATEMENT_TIMEOUT);
		this.bringHere = bringHere;
	}

	async session(sessionId: number): Promise<SessionView | undefined> {
		const rows = await this.query<Row>("SELECT packed FROM best_session WHERE session_id = $1 AND packed IS NOT NULL", [
			sessionId,
		]);
		return rows.map(viewOf)[0];
	}

	async sessionsOf(imsis: readonly string[]): Promise<readonly SessionView[]> {
		const values = imsis.map((imsi) => Buffer.from(encodeImsi(imsi) ?? []));
		// Of two that are confirmed the earlier one is about to be deleted.
		const rows = await this.query<Row>(
			`SELECT packed FROM best_session WHERE imsi = ANY($1::bytea[]) AND is_confirmed AND packed IS NOT NULL
			ORDER BY session_id`,
			[values],
		);
		return rows.map(viewOf);
	}

	async imsis(): Promise<readonly string[]> {
		const rows = await this.query<{ imsi: Buffer }>(
			"SELECT DISTINCT imsi FROM best_session WHERE is_confirmed AND packed IS NOT NULL ORDER BY imsi",
			[],
		);
		return rows.map(({ imsi }) => decodeImsi(imsi) ?? "");
	}

	bring(sessionId: number): Promise<boolean> {
		return this.bringHere(sessionId);
	}

	private async query<R extends pg.QueryResultRow>(text: string, values: readonly unknown[]): Promise<R[]> {
		try {
			return (await this.pool.query<R>(text, [...values])).rows;
		} catch (error) {
			throw asDatabaseError(error);
		}
	}

	close(): Promise<void> {
		return this.pool.end();
	}
}

function viewOf({ packed }: Row): SessionView {
	const view = viewOfStored(packed);
	packed.fill(0);
	return view;
}
