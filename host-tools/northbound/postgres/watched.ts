import { asDatabaseError, type Client, Connection } from "../../hse/postgres/connection.js";
import type { ResourceEvents } from "../resources.js";

/** Where the northbound sides of all processes tell each other what is new. */
export const CHANNEL = "best_northbound";
/** How often the connection that listens is looked after, and how often everything is read anew, in milliseconds. */
const LOOK_AFTER = 1000;
const READ_AFTER = 30_000;

/**
 * Which UEs some resource may be about, and which application servers want the events of all their UEs, so that what is heard of others costs no
 * question. Told of by NOTIFY, and read now and then, and when the connection was lost, since what is told then is lost.
 */
export class Watched {
	private readonly listener: Connection;
	private readonly onError: (error: Error) => void;
	private ues = new Set<string>();
	private servers = new Set<string>();
	/** What is added while everything is read anew. */
	private added: { readonly ues: Set<string>; readonly servers: Set<string> } | undefined;
	private events: ResourceEvents | undefined;
	private timer: NodeJS.Timeout | undefined;
	private readAt = 0;
	private isClosed = false;

	constructor(url: string, onError: (error: Error) => void) {
		this.onError = onError;
		this.listener = new Connection(url, async (client) => {
			client.on("notification", ({ payload }) => this.hear(payload ?? ""));
			await client.query(`LISTEN ${CHANNEL}`);
			await this.read(client);
		});
	}

	async begin(): Promise<void> {
		await this.listener.use((client) => client.query("SELECT"));
		this.lookLater();
	}

	listen(events: ResourceEvents): void {
		this.events = events;
	}

	hasUe(imsi: string): boolean {
		return this.ues.has(imsi);
	}

	hasServer(applicationServer: string): boolean {
		return this.servers.has(applicationServer);
	}

	add(imsi: string): void {
		if (imsi === "") return;
		this.ues.add(imsi);
		this.added?.ues.add(imsi);
	}

	addServer(applicationServer: string): void {
		this.servers.add(applicationServer);
		this.added?.servers.add(applicationServer);
	}

	async close(): Promise<void> {
		this.isClosed = true;
		clearTimeout(this.timer);
		await this.listener.end();
	}

	private async read(client: Client): Promise<void> {
		this.readAt = performance.now();
		const added = { ues: new Set<string>(), servers: new Set<string>() };
		this.added = added;
		const ues = await client.query<{ imsi: string }>("SELECT DISTINCT imsi FROM best_resource WHERE imsi <> ''");
		const servers = await client.query<{ application_server: string }>(
			"SELECT DISTINCT application_server FROM best_resource WHERE kind = 'subscription' AND imsi = ''",
		);
		this.ues = new Set([...ues.rows.map(({ imsi }) => imsi), ...added.ues]);
		this.servers = new Set([...servers.rows.map((row) => row.application_server), ...added.servers]);
		if (this.added === added) this.added = undefined;
	}

	/** A connection that was lost is made anew by the first statement. */
	private lookLater(): void {
		if (this.isClosed) return;
		this.timer = setTimeout(() => {
			this.listener
				.use((client) =>
					performance.now() - this.readAt > READ_AFTER ? this.read(client) : client.query("SELECT").then(() => {}),
				)
				.catch((error) => this.onError(asDatabaseError(error)))
				.finally(() => this.lookLater());
		}, LOOK_AFTER);
		this.timer.unref();
	}

	private hear(text: string): void {
		const space = text.indexOf(" ");
		const [word, what] = [text.slice(0, space), text.slice(space + 1)];
		if (word === "ue") {
			this.add(what);
			this.events?.onAnnounced(what);
		} else if (word === "server") this.addServer(what);
		else if (word === "over") this.events?.onCommandOver(what);
	}
}
