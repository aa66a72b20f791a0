import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { accessSync, chownSync, constants, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";

/** Where Debian has the servers of each version. */
const DEBIAN = "/usr/lib/postgresql";

function hasServer(folder: string): boolean {
	try {
		accessSync(join(folder, "initdb"), constants.X_OK);
		accessSync(join(folder, "postgres"), constants.X_OK);
		return true;
	} catch {
		return false;
	}
}

function versions(): readonly string[] {
	try {
		return readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a));
	} catch {
		return [];
	}
}

/** The folder with the programs of a PostgreSQL server, undefined where none is installed. */
export const POSTGRES_PROGRAMS: string | undefined = [
	...versions().map((version) => join(DEBIAN, version, "bin")),
	...(process.env.PATH ?? "").split(":"),
].find(hasServer);

/** A PostgreSQL does not run as root: then it is the user of Debian's package. */
function owner(): { readonly uid: number; readonly gid: number } | undefined {
	if (process.getuid?.() !== 0) return undefined;
	const line = readFileSync("/etc/passwd", "utf8").match(/^postgres:[^:]*:(\d+):(\d+):/m);
	if (line === null) throw new Error("There is no user postgres on this machine.");
	return { uid: Number(line[1]), gid: Number(line[2]) };
}

/** A PostgreSQL of a test's own in a temporary folder, reached through a socket there. */
export class Postgres {
	readonly url: string;
	private readonly folder = mkdtempSync(join(tmpdir(), "best-postgres-"));
	private readonly owner = owner();
	private server: ChildProcess | undefined;

	constructor() {
		if (this.owner !== undefined) chownSync(this.folder, this.owner.uid, this.owner.gid);
		this.url = `postgres://best@/postgres?host=${this.folder}`;
		const words = ["-D", join(this.folder, "data"), "-U", "best", "-A", "trust", "-E", "UTF8", "--no-locale"];
		const { status, stderr } = spawnSync(this.program("initdb"), [...words, "--no-sync"], {
			...this.owner,
			cwd: this.folder,
			encoding: "utf8",
		});
		if (status !== 0) throw new Error(`initdb failed: ${stderr}`);
	}

	/** @returns when it takes connections */
	async start(): Promise<void> {
		// fsync guards against a machine that stops, which no test does: it only costs time here.
		const settings = ["listen_addresses=", `unix_socket_directories=${this.folder}`, "fsync=off"];
		const words = ["-D", join(this.folder, "data"), ...settings.flatMap((setting) => ["-c", setting])];
		this.server = spawn(this.program("postgres"), words, { ...this.owner, cwd: this.folder, stdio: "ignore" });
		for (let tries = 0; ; tries++)
			try {
				await this.query("SELECT 1");
				return;
			} catch (error) {
				if (tries === 500) throw error;
				await new Promise((resolve) => setTimeout(resolve, 20));
			}
	}

	/** @param signal SIGINT ends it in order, SIGQUIT as a crash would */
	async stop(signal: "SIGINT" | "SIGQUIT" = "SIGINT"): Promise<void> {
		const { server } = this;
		this.server = undefined;
		if (server === undefined || server.exitCode !== null) return;
		const exited = new Promise((resolve) => server.once("exit", resolve));
		server.kill(signal);
		await exited;
	}

	async query<R extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<R[]> {
		const client = new pg.Client({ connectionString: this.url });
		client.on("error", () => {});
		try {
			await client.connect();
			return (await client.query<R>(text, [...values])).rows;
		} finally {
			await client.end().catch(() => {});
		}
	}

	async remove(): Promise<void> {
		await this.stop("SIGQUIT");
		rmSync(this.folder, { recursive: true, force: true });
	}

	private program(name: string): string {
		return join(POSTGRES_PROGRAMS ?? "", name);
	}
}

/** Why tests with a PostgreSQL are passed over; undefined where they run. In CI they must. */
export const NO_POSTGRES: string | undefined =
	POSTGRES_PROGRAMS === undefined && process.env.CI !== "true"
		? "PostgreSQL is not installed (Debian: apt install postgresql)"
		: undefined;
