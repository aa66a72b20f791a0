/** What the HSE's file has for sessions: one packed record each, and the journal of the COUNTs of uplinks. */
export const SESSION_TABLES = `
	CREATE TABLE session (session_id INTEGER PRIMARY KEY, batch INTEGER NOT NULL, packed BLOB NOT NULL) STRICT;
	CREATE TABLE uplink_counts (batch INTEGER PRIMARY KEY, counts BLOB NOT NULL) STRICT`;
