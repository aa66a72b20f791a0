import { platform as target } from "best/platform";
import { Application } from "./application.js";
import { BestClient } from "./client/best-client.js";
import { ClientError } from "./client/errors.js";
import { decodeIdentity, IDENTITY_KEY } from "./client/identity.js";
import { AKA_ALGORITHM, sqnNumber } from "./keys/aka.js";
import { milenageFrom } from "./keys/milenage.js";
import { SoftUsim } from "./platform/common/soft-usim.js";
import type { Platform } from "./ports/platform.js";

const platform: Platform = target;

function run(record: Uint8Array): void {
	const { imsi, algorithm, credentials, sqnMs, hseAddress, hsePort, concealment, ...wanted } = decodeIdentity(record);
	const { kernel, clock, random, store } = platform;
	const make = algorithm === AKA_ALGORITHM.milenage ? milenageFrom : platform.akaAlgorithms?.[algorithm];
	const functions = make?.(kernel, credentials);
	const conceal = concealment.length === 0 ? undefined : platform.makeConceal?.(kernel, random, concealment);
	// The IMSI never goes out in clear because the way to conceal it is missing.
	if (functions === undefined || (concealment.length > 0 && conceal === undefined))
		throw new ClientError(
			"configuration",
			"This firmware was built without the algorithm or the SUCI of its identity.",
		);
	const config = { ...wanted, conceal, retry: platform.retry };
	const usim = new SoftUsim(functions, imsi, store, sqnNumber(sqnMs));
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

// What escapes from here would end some targets without a word.
try {
	const record = platform.store.read(IDENTITY_KEY);
	if (record === undefined) throw new ClientError("configuration", "The device has no identity yet: provision it.");
	run(record);
} catch (error) {
	platform.print(JSON.stringify({ event: "failed", why: error instanceof Error ? error.message : String(error) }));
	platform.exit(1);
}
