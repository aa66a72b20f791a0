import { encodeIdentity, IDENTITY_KEY, type Identity } from "../../firmware/client/identity.js";
import { SESSION_KEY } from "../../firmware/client/packed-session.js";
import { SQN_KEY } from "../../firmware/platform/common/soft-usim.js";
import type { NodeStore } from "../device/node-store.js";

/** Writes an identity into the file-backed store of a device that is off, and erases its credentials. */
export function storeIdentity(store: NodeStore, identity: Identity): void {
	const record = encodeIdentity(identity);
	store.write(IDENTITY_KEY, record);
	// A new identity begins with its own SQNs and without a session.
	store.delete(SQN_KEY);
	store.delete(SESSION_KEY);
	record.fill(0);
	identity.credentials.fill(0);
}
