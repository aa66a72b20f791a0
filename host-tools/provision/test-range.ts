import { UsageError } from "../cli/errors.js";
import { toHex } from "../hex.js";
import { type SubscriptionOrder, secretsOf } from "./order.js";

/** MCCs of test networks (ITU-T E.212): 001 everywhere; 999 is for private networks and free for all. */
const TEST_MCCS = ["001", "999"];

/** Keys that everybody has: of the test sets of TS 35.208 and the defaults of programs. K, OP or OP_C. */
const KNOWN_KEYS: ReadonlySet<string> = new Set([
	// TS 35.208 4.3.1 test set 1, also the default of Open5GS: K, OP, OP_C.
	"465b5ce8b199b49faa5f0a2ee238a6bc",
	"cdc202d5123e20f62b6d676ac72cb318",
	"cd63cb71954a9f4e48a5994e37a02baf",
	"e8ed289deba952e4283b54e88e6183ca",
	// free5GC and UERANSIM: K, OP_C.
	"8baf473f2f8fd09487cccbd7097c6862",
	"8e27b6af0e692e750f32667a3b14605d",
	// srsRAN: K, OP_C.
	"00112233445566778899aabbccddeeff",
	"63bfa50ee6523365ff14c1f45f88737d",
]);

/** Whether a key is one of those, or has nothing random in it. */
export function isKnown(key: Uint8Array): boolean {
	const step = (key[1] - key[0]) & 0xff;
	return KNOWN_KEYS.has(toHex(key)) || key.every((octet, i) => i === 0 || ((octet - key[i - 1]) & 0xff) === step);
}

/**
 * Keeps test subscribers and keys that everybody knows away from devices.
 * @throws UsageError that does not contain a key
 */
export function refuseTestOrder({ imsi, keys }: Pick<SubscriptionOrder, "imsi" | "keys">): void {
	if (TEST_MCCS.includes(imsi.slice(0, 3)))
		throw new UsageError(
			`The IMSI ${imsi} is of a test network (MCC ${imsi.slice(0, 3)}): add --test if that is meant.`,
		);
	if (keys !== undefined && secretsOf(keys).some(isKnown))
		throw new UsageError(
			`A key of ${imsi} is one that everybody knows: make new ones with best keygen, or add --test.`,
		);
}
