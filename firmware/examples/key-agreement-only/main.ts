// Only agrees a key with the network: K_EAS_PSK, for a protocol of the application's own, such as DTLS or OSCORE. The
// application server has the same key from the HSE. Messages do not go through the HSE then.

import { sha256 } from "best/keys/sha256";
import { provisionedClient } from "best/provisioned-client";
import { target } from "best/target";

const client = provisionedClient(target, (event) => trace(`${event.kind}\n`));

function useKey(): void {
	const key = client.easKey();
	// Here the key goes to the application's protocol. This shows no more of it than tells two keys apart.
	trace(`K_EAS_PSK has ${key.length} octets; its digest begins with ${sha256(key).subarray(0, 4).join(" ")}\n`);
	key.fill(0);
}

client
	.start()
	.then(useKey)
	.then(() => client.refreshKeys())
	.then(useKey)
	.then(() => client.stop())
	.catch((error: Error) => trace(`${error.message}\n`));
