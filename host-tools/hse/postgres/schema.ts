import { DatabaseError } from "../database.js";
import type { Client } from "./connection.js";

/** One lock for all who bring the tables up to date: "BEST" as a number. */
const MIGRATION_LOCK = 0x42455354;

/** Each entry brings the tables from the version of its index to the next. */
const MIGRATIONS: readonly string[] = [
	// With a pre-shared key there is a reference, k is that key, and there is no opc, amf and sqn.
	`CREATE TABLE best_subscriber (
		imsi text COLLATE "C" PRIMARY KEY,
		k bytea NOT NULL,
		opc bytea,
		amf bytea,
		sqn bigint,
		enabled boolean NOT NULL,
		tuak_res_octets integer,
		tuak_iterations integer,
		reference bytea UNIQUE,
		eas_key text CHECK (eas_key IN ('deny', 'allow', 'escrow')),
		CHECK (reference IS NOT NULL OR (opc IS NOT NULL AND amf IS NOT NULL AND sqn IS NOT NULL))
	);
	-- The HSE processes that run; one that has no row owns nothing.
	CREATE TABLE best_hse (
		id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
		lease_until timestamptz NOT NULL
	);
	-- packed is null for a Session ID that a process has reserved; imsi is as EF_IMSI has it; forget_at is set where a
	-- session that is not confirmed is nobody's.
	CREATE TABLE best_session (
		session_id bigint PRIMARY KEY,
		owner bigint,
		batch bigint NOT NULL,
		imsi bytea,
		is_confirmed boolean NOT NULL DEFAULT false,
		forget_at timestamptz,
		packed bytea
	) WITH (fillfactor = 80);
	ALTER TABLE best_session ALTER COLUMN packed SET STORAGE EXTERNAL;
	CREATE INDEX best_session_imsi ON best_session (imsi) WHERE is_confirmed;
	CREATE INDEX best_session_forgotten ON best_session (forget_at) WHERE forget_at IS NOT NULL;
	CREATE INDEX best_session_reserved ON best_session (owner) WHERE packed IS NULL;
	-- The journal of each process: the COUNTs of uplinks.
	CREATE TABLE best_uplink_counts (
		owner bigint NOT NULL,
		batch bigint NOT NULL,
		counts bytea NOT NULL,
		PRIMARY KEY (owner, batch)
	)`,
	// The northbound side. Times are milliseconds since 1970 by the clocks of the processes.
	`CREATE TABLE best_resource (
		id text COLLATE "C" PRIMARY KEY,
		kind text NOT NULL,
		application_server text NOT NULL,
		imsi text NOT NULL,
		parent text NOT NULL,
		until bigint,
		body text NOT NULL
	);
	CREATE INDEX best_resource_server ON best_resource (application_server, kind);
	CREATE INDEX best_resource_ue ON best_resource (imsi, kind);
	CREATE INDEX best_resource_parent ON best_resource (parent) WHERE parent <> '';
	CREATE INDEX best_resource_until ON best_resource (until) WHERE until IS NOT NULL;
	-- When a UE that some resource is about was heard last, by whichever process.
	CREATE TABLE best_heard (imsi text COLLATE "C" PRIMARY KEY, heard_at bigint NOT NULL) WITH (fillfactor = 70);
	CREATE TABLE best_notification (
		number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
		channel text NOT NULL,
		destination text NOT NULL,
		body text NOT NULL,
		created bigint NOT NULL
	);
	CREATE INDEX best_notification_channel ON best_notification (channel, number);
	-- Whoever adds a notification or takes one away has the lock of this row, so numbers are in the order of commits. The
	-- owner delivers, the one that has the WebSocket where there is one; one that does not run any more is none.
	CREATE TABLE best_channel (
		channel text COLLATE "C" PRIMARY KEY,
		waiting integer NOT NULL,
		owner bigint,
		socket_owner bigint,
		failures integer NOT NULL DEFAULT 0,
		due_at bigint NOT NULL DEFAULT 0
	) WITH (fillfactor = 70);
	-- status is null while the owner answers.
	CREATE TABLE best_reply (
		application_server text NOT NULL,
		key text NOT NULL,
		owner bigint NOT NULL,
		digest text,
		status integer,
		headers text,
		body text,
		until bigint,
		PRIMARY KEY (application_server, key)
	);
	CREATE INDEX best_reply_until ON best_reply (until) WHERE until IS NOT NULL;
	-- What access tokens are signed with.
	CREATE TABLE best_token_key (id integer PRIMARY KEY CHECK (id = 1), jwk text NOT NULL)`,
	// EASs that have registered, with whichever process. id is the EAS session id of TS 33.163 Annex B.
	`CREATE TABLE best_eas (
		eas_id text COLLATE "C" PRIMARY KEY,
		id text COLLATE "C" NOT NULL UNIQUE,
		callback text NOT NULL,
		until timestamptz NOT NULL
	)`,
];

/** Makes the tables, or brings them up to date. @throws DatabaseError where they are newer than this program */
export async function migrate(client: Client): Promise<void> {
	await client.query("BEGIN");
	await client.query("SELECT pg_advisory_xact_lock($1)", [MIGRATION_LOCK]);
	await client.query("CREATE TABLE IF NOT EXISTS best_version (version integer NOT NULL)");
	const { rows } = await client.query<{ version: number }>("SELECT version FROM best_version");
	const version = rows[0]?.version ?? 0;
	if (version > MIGRATIONS.length)
		throw new DatabaseError(
			"The database was written by a newer version of this program: it was left as it is; use that version.",
		);
	for (const migration of MIGRATIONS.slice(version)) await client.query(migration);
	await client.query("DELETE FROM best_version");
	await client.query("INSERT INTO best_version VALUES ($1)", [MIGRATIONS.length]);
	await client.query("COMMIT");
}
