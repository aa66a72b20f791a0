import { readdirSync } from "node:fs";
import { encodeIdentity, IDENTITY_KEY, type Identity } from "../../firmware/client/identity.js";
import { SESSION_KEY } from "../../firmware/client/packed-session.js";
import { SQN_KEY } from "../../firmware/platform/common/soft-usim.js";
import { Failure } from "../cli/errors.js";
import { NodeStore } from "../device/node-store.js";

/**
 * Looks at the file-backed store of a device that is off, and makes nothing.
 * @throws Failure if the device has an identity already, or no store can be there
 */
export function refuseStore(directory: string): void {
	if (keysIn(directory).includes(IDENTITY_KEY))
		throw new Failure(`The device in ${directory} has an identity already: name another --store, or remove it.`);
}

function keysIn(directory: string): string[] {
	try {
		return readdirSync(directory);
	} catch (error) {
		const why = (error as NodeJS.ErrnoException).code;
		if (why === "ENOENT") return [];
		throw new Failure(`The store ${directory} cannot be used (${why}): name a folder, or a new one, with --store.`);
	}
}

/**
 * Writes an identity into the file-backed store of a device that is off, and erases its credentials.
 * @throws Failure where the store can neither be made nor written
 */
export function storeIdentity(directory: string, identity: Identity): void {
	const record = encodeIdentity(identity);
	try {
		const store = new NodeStore(directory);
		store.write(IDENTITY_KEY, record);
		// A new identity begins with its own SQNs and without a session.
		store.delete(SQN_KEY);
		store.delete(SESSION_KEY);
	} catch (error) {
		const why = error instanceof Error ? error.message : error;
		throw new Failure(`The store ${directory} cannot be made or written (${why}): name another folder with --store.`);
	} finally {
		record.fill(0);
		identity.credentials.fill(0);
	}
}
