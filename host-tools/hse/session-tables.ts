/** What the HSE's file has for sessions: one packed record each, and the journal of the COUNTs of uplinks. */
export const SESSION_TABLES = `
	CREATE TABLE session (session_id INTEGER PRIMARY KEY, batch INTEGER NOT NULL, packed BLOB NOT NULL) STRICT;
	CREATE TABLE uplink_counts (batch INTEGER PRIMARY KEY, counts BLOB NOT NULL) STRICT`;

/** The place of a session in its table is a number of its own: see SessionPlaces. */
export const SESSION_PLACES = `
	ALTER TABLE session RENAME COLUMN session_id TO place;
	ALTER TABLE session ADD COLUMN session_id INTEGER NOT NULL DEFAULT 0;
	UPDATE session SET session_id = place`;
