import type { EasRegistration, EasRegistrations, StandingRegistration } from "../shared-eas.js";
import { asDatabaseError, type Client, Connection } from "./connection.js";

/** Where all processes tell each other that an EAS has registered or is gone. */
const CHANNEL = "best_eas";
/** How often all registrations are read, in milliseconds: renewals are not told of, and what is told can be lost. */
const READ_AFTER = 5000;

interface Row {
	readonly eas_id: string;
	readonly id: string;
	readonly callback: string;
	readonly remaining: number;
}

/** When a registration is over, by the clock of PostgreSQL. */
const UNTIL = "clock_timestamp() + make_interval(secs => $2)";

/** EASs in the PostgreSQL of several HSEs. What a process knows of them is what it has read last. */
export class PostgresEasRegistrations implements EasRegistrations {
	private readonly connection: Connection;
	private readonly onError: (error: Error) => void;
	private tell: (registrations: readonly StandingRegistration[]) => void = () => {};
	private timer: NodeJS.Timeout | undefined;
	private isClosed = false;

	/** @param onError told where they cannot be read for the moment */
	constructor(url: string, onError: (error: Error) => void) {
		this.onError = onError;
		this.connection = new Connection(url, async (client) => {
			client.on("notification", () => this.readSoon());
			await client.query(`LISTEN ${CHANNEL}`);
		});
	}

	async begin(onRegistrations: (registrations: readonly StandingRegistration[]) => void): Promise<void> {
		this.tell = onRegistrations;
		await this.refresh();
		this.readLater();
	}

	async put({ easId, id, callback }: EasRegistration, seconds: number): Promise<void> {
		await this.use(async (client) => {
			await client.query(
				`INSERT INTO best_eas (id, until, eas_id, callback) VALUES ($1, ${UNTIL}, $3, $4)
				ON CONFLICT (eas_id) DO UPDATE SET id = excluded.id, callback = excluded.callback, until = excluded.until`,
				[id, seconds, easId, callback],
			);
			await this.announce(client);
		});
	}

	renew(id: string, seconds: number): Promise<boolean> {
		return this.use(async (client) => {
			const { rowCount } = await client.query(
				`UPDATE best_eas SET until = ${UNTIL} WHERE id = $1 AND until > clock_timestamp()`,
				[id, seconds],
			);
			await this.read(client);
			return rowCount === 1;
		});
	}

	async remove(id: string): Promise<void> {
		await this.use(async (client) => {
			await client.query("DELETE FROM best_eas WHERE id = $1", [id]);
			await this.announce(client);
		});
	}

	refresh(): Promise<void> {
		return this.use((client) => this.read(client));
	}

	async close(): Promise<void> {
		this.isClosed = true;
		clearTimeout(this.timer);
		await this.connection.end();
	}

	private async use<T>(work: (client: Client) => Promise<T>): Promise<T> {
		try {
			return await this.connection.use(work);
		} catch (error) {
			throw asDatabaseError(error);
		}
	}

	private async announce(client: Client): Promise<void> {
		await client.query(`NOTIFY ${CHANNEL}`);
		await this.read(client);
	}

	private async read(client: Client): Promise<void> {
		const { rows } = await client.query<Row>(
			`SELECT eas_id, id, callback, (extract(epoch FROM until - clock_timestamp()) * 1000)::float8 AS remaining
			FROM best_eas WHERE until > clock_timestamp()`,
		);
		if (this.isClosed) return;
		this.tell(rows.map(({ eas_id, ...rest }) => ({ easId: eas_id, ...rest })));
	}

	private readSoon(): void {
		if (this.isClosed) return;
		this.refresh().catch((error) => this.onError(error));
	}

	private readLater(): void {
		if (this.isClosed) return;
		this.timer = setTimeout(() => {
			this.use(async (client) => {
				await client.query("DELETE FROM best_eas WHERE until < clock_timestamp()");
				await this.read(client);
			})
				.catch((error) => this.onError(error))
				.finally(() => this.readLater());
		}, READ_AFTER);
		this.timer.unref();
	}
}
