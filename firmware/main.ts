import { platform as target } from "best/platform";
import { Application } from "./application.js";
import { BestClient } from "./client/best-client.js";
import { ClientError } from "./client/errors.js";
import { decodeIdentity, IDENTITY_KEY } from "./client/identity.js";
import { sqnNumber } from "./keys/aka.js";
import { Milenage } from "./keys/milenage.js";
import { SoftUsim } from "./platform/common/soft-usim.js";
import type { Platform } from "./ports/platform.js";

const platform: Platform = target;

function run(record: Uint8Array): void {
	const { imsi, k, opc, sqnMs, hseAddress, hsePort, ...identity } = decodeIdentity(record);
	const { kernel, clock, random, store, retry } = platform;
	const config = retry === undefined ? identity : { ...identity, retry };
	const usim = new SoftUsim(new Milenage(kernel, k, opc), imsi, store, sqnNumber(sqnMs));
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
	for (const secret of [k, opc, record]) secret.fill(0);
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
