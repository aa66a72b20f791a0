import { SQN_STEP } from "../../../firmware/keys/aka.js";
import type { TuakParameters } from "../../../firmware/keys/tuak.js";
import { DatabaseError, type Subscriber } from "../database.js";
import { Connection } from "./connection.js";
import { migrate } from "./schema.js";

interface Row {
	readonly k: Buffer;
	readonly opc: Buffer;
	readonly amf: Buffer;
	/** A bigint as text. */
	readonly sqn: string;
	readonly enabled: boolean;
	readonly tuak_res_octets: number | null;
	readonly tuak_iterations: number | null;
}

const COLUMNS = "k, opc, amf, enabled, tuak_res_octets, tuak_iterations";
const SQNS = 2 ** 48;

function subscriberOf(imsi: string, row: Row, sqn: number): Subscriber {
	const octets = (buffer: Buffer) => {
		const copy = Uint8Array.from(buffer);
		buffer.fill(0);
		return copy;
	};
	const { tuak_res_octets: resOctets, tuak_iterations: iterations } = row;
	const tuak = resOctets === null ? undefined : ({ resOctets, iterations } as TuakParameters);
	return { imsi, k: octets(row.k), opc: octets(row.opc), amf: octets(row.amf), sqn, enabled: row.enabled, tuak };
}

/** Subscribers and their SQNs in a PostgreSQL that several HSEs share. */
export class PostgresSubscribers {
	private readonly connection: Connection;

	constructor(url: string) {
		this.connection = new Connection(url);
	}

	migrate(): Promise<void> {
		return this.connection.use(migrate);
	}

	end(): Promise<void> {
		return this.connection.end();
	}

	/** @throws DatabaseError if the IMSI is there already */
	async addSubscriber({ imsi, k, opc, amf, sqn, enabled, tuak }: Subscriber): Promise<void> {
		const secrets = [Buffer.from(k), Buffer.from(opc)];
		const { rowCount } = await this.connection.use((client) =>
			client.query(
				`INSERT INTO best_subscriber (imsi, k, opc, amf, sqn, enabled, tuak_res_octets, tuak_iterations)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
				[imsi, ...secrets, Buffer.from(amf), sqn, enabled, tuak?.resOctets ?? null, tuak?.iterations ?? null],
			),
		);
		for (const secret of secrets) secret.fill(0);
		if (rowCount === 0)
			throw new DatabaseError(`The subscriber ${imsi} is in the database already: choose another IMSI with --imsi.`);
	}

	/**
	 * A subscriber with an SQN that no other call gets, whichever process it is of.
	 * @returns undefined where there is none of this IMSI
	 */
	async takeSqn(imsi: string): Promise<Subscriber | undefined> {
		const { rows } = await this.connection.use((client) =>
			client.query<Row>({
				name: "take",
				text: `UPDATE best_subscriber SET sqn = (sqn + ${SQN_STEP}) % ${SQNS} WHERE imsi = $1 RETURNING sqn, ${COLUMNS}`,
				values: [imsi],
			}),
		);
		if (rows.length === 0) return undefined;
		return subscriberOf(imsi, rows[0], (Number(rows[0].sqn) - SQN_STEP + SQNS) % SQNS);
	}

	/** A subscriber with its next SQN, which is not taken. */
	async subscriber(imsi: string): Promise<Subscriber | undefined> {
		const { rows } = await this.connection.use((client) =>
			client.query<Row>(`SELECT sqn, ${COLUMNS} FROM best_subscriber WHERE imsi = $1`, [imsi]),
		);
		return rows.length === 0 ? undefined : subscriberOf(imsi, rows[0], Number(rows[0].sqn));
	}

	/** Sets the next SQN where it is still what it was. @returns whether it was */
	async replaceSqn(imsi: string, from: number, to: number): Promise<boolean> {
		const { rowCount } = await this.connection.use((client) =>
			client.query("UPDATE best_subscriber SET sqn = $3 WHERE imsi = $1 AND sqn = $2 RETURNING sqn", [imsi, from, to]),
		);
		return rowCount === 1;
	}
}
