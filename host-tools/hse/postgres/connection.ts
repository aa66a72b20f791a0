import pg from "pg";
import { DatabaseError } from "../database.js";

/** Milliseconds that a connection, or a statement, may take. */
const CONNECT_TIMEOUT = 5000;
const STATEMENT_TIMEOUT = 30_000;
/** Milliseconds that a process may stand still in a transaction: others wait for its locks. */
const IDLE_IN_TRANSACTION = 2000;

/** What {@link Connection.use} lends. */
export type Client = pg.Client;

/**
 * Several connections. What becomes of one that breaks is told to whoever asks something of it, and it is replaced.
 * @param statementTimeout in milliseconds
 */
export function openPool(url: string, most: number, statementTimeout: number): pg.Pool {
	const pool = new pg.Pool({
		...clientOptions(url),
		query_timeout: statementTimeout,
		options: "-c synchronous_commit=on",
		max: most,
	});
	pool.on("error", () => {});
	// One that is lent out and breaks while nothing is asked of it would end the process otherwise.
	pool.on("connect", (client) => client.on("error", () => {}));
	return pool;
}

/** How every connection is made. */
function clientOptions(url: string): pg.ClientConfig {
	return {
		connectionString: url,
		application_name: "best-hse",
		connectionTimeoutMillis: CONNECT_TIMEOUT,
		query_timeout: STATEMENT_TIMEOUT,
		idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION,
		keepAlive: true,
	};
}

/** What went wrong, without the values that pg has beside its message. */
export function asDatabaseError(error: unknown): DatabaseError {
	if (error instanceof DatabaseError) return error;
	// Of several addresses that were tried, Node has a message for each and none for all.
	const [first] = error instanceof AggregateError ? error.errors : [error];
	return new DatabaseError(
		`The PostgreSQL of --database cannot be used (${first instanceof Error ? first.message : first}): see that it runs and that PGUSER and PGPASSWORD are right.`,
	);
}

/**
 * One connection to PostgreSQL that is made when it is needed, and made anew after an error: then nothing of the
 * transaction before is left in it. Calls take turns.
 */
export class Connection {
	private readonly url: string;
	private readonly prepare: (client: Client) => Promise<unknown>;
	private client: Promise<Client> | undefined;
	/** Settled when the call before is over. */
	private turn: Promise<unknown> = Promise.resolve();

	/** @param prepare what is done once with each new connection */
	constructor(url: string, prepare: (client: Client) => Promise<unknown> = async () => {}) {
		this.url = url;
		this.prepare = prepare;
	}

	/** Statements of their own. @throws Error of pg; afterwards the connection is another one */
	use<T>(work: (client: Client) => Promise<T>): Promise<T> {
		const result = this.turn.then(() => this.run(work));
		this.turn = result.catch(() => {});
		return result;
	}

	private async run<T>(work: (client: Client) => Promise<T>): Promise<T> {
		const client = this.client ?? this.open();
		this.client = client;
		try {
			return await work(await client);
		} catch (error) {
			this.drop(client);
			throw error;
		}
	}

	/** One transaction. */
	transaction<T>(work: (client: Client) => Promise<T>): Promise<T> {
		return this.use(async (client) => {
			await client.query("BEGIN");
			const result = await work(client);
			await client.query("COMMIT");
			return result;
		});
	}

	/** After the calls before. */
	async end(): Promise<void> {
		await this.turn;
		const { client } = this;
		this.client = undefined;
		await client?.then((open) => open.end()).catch(() => {});
	}

	private open(): Promise<Client> {
		const opened: Promise<Client> = this.connect(() => this.drop(opened));
		return opened;
	}

	/** @param onError told when the connection breaks while nothing is asked of it */
	private async connect(onError: () => void): Promise<Client> {
		const client = new pg.Client(clientOptions(this.url));
		client.on("error", onError);
		try {
			await client.connect();
			// Whatever the server's default: what has been committed must be durable.
			await client.query("SET synchronous_commit = on");
			await this.prepare(client);
		} catch (error) {
			client.end().catch(() => {});
			throw error;
		}
		return client;
	}

	private drop(client: Promise<Client> | undefined): void {
		if (this.client === client) this.client = undefined;
		client?.then((open) => open.end()).catch(() => {});
	}
}
