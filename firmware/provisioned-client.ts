import { BestClient } from "./client/best-client.js";
import { ClientError } from "./client/errors.js";
import type { UeEvent } from "./client/events.js";
import { CARD, decodeIdentity, IDENTITY_KEY, type Identity, SHARED_KEY, sharedKeyFrom } from "./client/identity.js";
import { usableOffer } from "./client/ue.js";
import { AKA_ALGORITHM, sqnNumber } from "./keys/aka.js";
import { milenageFrom } from "./keys/milenage.js";
import { NoUsim } from "./platform/common/no-usim.js";
import { SoftUsim } from "./platform/common/soft-usim.js";
import type { Target } from "./ports/platform.js";

/** What the identity's keys make. @throws ClientError where this firmware has no such thing */
function prepare({ kernel, random, ...target }: Target, { algorithm, credentials, concealment }: Identity) {
	const sharedKey = algorithm === SHARED_KEY ? sharedKeyFrom(credentials) : undefined;
	const make = algorithm === AKA_ALGORITHM.milenage ? milenageFrom : target.akaAlgorithms?.[algorithm];
	const functions = make?.(kernel, credentials);
	const card = algorithm === CARD ? target.usim : undefined;
	if (algorithm === CARD && card === undefined)
		throw new ClientError("configuration", "The card of a modem is to run AKA, and this device reaches none.");
	const conceal = concealment.length === 0 ? undefined : target.makeConceal?.(kernel, random, concealment);
	// The IMSI never goes out in clear because the way to conceal it is missing.
	const isKeyless = functions === undefined && sharedKey === undefined && card === undefined;
	if (isKeyless || (concealment.length > 0 && conceal === undefined))
		throw new ClientError(
			"configuration",
			"This firmware was built without the algorithm or the SUCI of its identity.",
		);
	return { functions, conceal, sharedKey, card };
}

/** Whether a device could start with an identity. */
export function isUsableIdentity(target: Target, record: Uint8Array): boolean {
	try {
		const identity = decodeIdentity(record);
		usableOffer(target.kernel, identity.offer);
		prepare(target, identity).functions?.erase();
		identity.credentials.fill(0);
		return true;
	} catch {
		return false;
	}
}

/**
 * The client of a device that has been provisioned: with a soft USIM, the card of its modem or a pre-shared key, to the HSE that its identity names.
 * @param snapshot what the power port retained over a deep sleep
 * @throws ClientError `configuration` where the store holds no identity that can be used
 */
export function provisionedClient(
	target: Target,
	onEvent: (event: UeEvent) => void,
	snapshot?: Uint8Array,
): BestClient {
	const { kernel, clock, random, store, retry } = target;
	const record = store.read(IDENTITY_KEY);
	if (record === undefined) throw new ClientError("configuration", "The device has no identity yet: provision it.");
	const identity = decodeIdentity(record);
	const { functions, conceal, sharedKey, card } = prepare(target, identity);
	const { imsi, credentials, sqnMs, hseAddress, hsePort, offer, easId, servingNetwork } = identity;
	const config = { offer, easId, servingNetwork, conceal, retry, ...(sharedKey && { sharedKey }) };
	const soft = functions && new SoftUsim(functions, imsi, store, sqnNumber(sqnMs));
	const usim = card ?? soft ?? new NoUsim(imsi);
	for (const secret of [credentials, record]) secret.fill(0);
	const datagram = target.openDatagram(hseAddress, hsePort);
	const options = { kernel, datagram, usim, store, clock, random, config, onEvent };
	return new BestClient(snapshot === undefined ? options : { ...options, snapshot });
}
