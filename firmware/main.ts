import { platform as target } from "best/platform";
import { Application } from "./application.js";
import { BestClient } from "./client/best-client.js";
import { ClientError } from "./client/errors.js";
import { CARD, decodeIdentity, IDENTITY_KEY, type Identity, SHARED_KEY, sharedKeyFrom } from "./client/identity.js";
import { usableOffer } from "./client/ue.js";
import { AKA_ALGORITHM, sqnNumber } from "./keys/aka.js";
import { milenageFrom } from "./keys/milenage.js";
import { NoUsim } from "./platform/common/no-usim.js";
import { SoftUsim } from "./platform/common/soft-usim.js";
import type { Platform } from "./ports/platform.js";

const platform: Platform = target;

/** What the identity's keys make. @throws ClientError where this firmware has no such thing */
function prepare({ algorithm, credentials, concealment }: Identity) {
	const { kernel, random } = platform;
	const sharedKey = algorithm === SHARED_KEY ? sharedKeyFrom(credentials) : undefined;
	const make = algorithm === AKA_ALGORITHM.milenage ? milenageFrom : platform.akaAlgorithms?.[algorithm];
	const functions = make?.(kernel, credentials);
	const card = algorithm === CARD ? platform.usim : undefined;
	if (algorithm === CARD && card === undefined)
		throw new ClientError("configuration", "The card of a modem is to run AKA, and this device reaches none.");
	const conceal = concealment.length === 0 ? undefined : platform.makeConceal?.(kernel, random, concealment);
	// The IMSI never goes out in clear because the way to conceal it is missing.
	const isKeyless = functions === undefined && sharedKey === undefined && card === undefined;
	if (isKeyless || (concealment.length > 0 && conceal === undefined))
		throw new ClientError(
			"configuration",
			"This firmware was built without the algorithm or the SUCI of its identity.",
		);
	return { functions, conceal, sharedKey, card };
}

function run(record: Uint8Array): void {
	const identity = decodeIdentity(record);
	const { functions, conceal, sharedKey, card } = prepare(identity);
	const { imsi, credentials, sqnMs, hseAddress, hsePort, offer, easId, servingNetwork } = identity;
	const { kernel, clock, random, store, retry } = platform;
	const config = { offer, easId, servingNetwork, conceal, retry, ...(sharedKey && { sharedKey }) };
	const soft = functions && new SoftUsim(functions, imsi, store, sqnNumber(sqnMs));
	const usim = card ?? soft ?? new NoUsim(imsi);
	const datagram = platform.openDatagram(hseAddress, hsePort);
	const client = new BestClient({
		kernel,
		datagram,
		usim,
		store,
		clock,
		random,
		config,
		onEvent: (event) => application.tell(event),
	});
	const application = new Application(platform, client);
	for (const secret of [credentials, record]) secret.fill(0);
	application.run();
}

function start(): void {
	const record = platform.store.read(IDENTITY_KEY);
	if (record === undefined) throw new ClientError("configuration", "The device has no identity yet: provision it.");
	run(record);
}

/** What escaped from here would end some targets without a word. */
function guard(action: () => void): void {
	try {
		action();
	} catch (error) {
		platform.print(JSON.stringify({ event: "failed", why: error instanceof Error ? error.message : String(error) }));
		platform.exit(1);
	}
}

/** Whether the device could start with an identity. */
function isUsable(record: Uint8Array): boolean {
	try {
		const identity = decodeIdentity(record);
		usableOffer(platform.kernel, identity.offer);
		prepare(identity).functions?.erase();
		identity.credentials.fill(0);
		return true;
	} catch {
		return false;
	}
}

guard(() => {
	if (!platform.provisioning?.listen({ isUsable, onProvisioned: () => guard(start) })) start();
});
