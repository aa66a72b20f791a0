/**
 * The block cipher of the build: fixsliced, unless an entry point (table/) defines WITH_TABLES. Both work on the two lanes of
 * STATE; who needs one lane says so, because with tables the other one is then not paid for.
 */
import { encrypt as encryptSliced } from "./fixslice";
import { expandKeys as expandSlicedKeys } from "./key-schedule";
import { encryptLane, encryptLanes } from "./table/rounds";
import { expandKeys as expandTableKeys } from "./table/key-schedule";

/** Enciphers lane 0 under the cipher key and lane 1 under the integrity key. */
@inline
export function encryptBoth(keySet: usize): void {
	if (isDefined(WITH_TABLES)) encryptLanes(keySet);
	else encryptSliced(keySet);
}

/** Enciphers lane 0; what lane 1 holds after it is undefined. */
@inline
export function encryptCounter(keySet: usize): void {
	if (isDefined(WITH_TABLES)) encryptLane(keySet, 0);
	else encryptSliced(keySet);
}

/** Enciphers lane 1; what lane 0 holds after it is undefined. */
@inline
export function encryptMac(keySet: usize): void {
	if (isDefined(WITH_TABLES)) encryptLane(keySet, 1);
	else encryptSliced(keySet);
}

/** Turns the cipher key and the integrity key, 16 octets each at the start of the key set, into the key set. */
@inline
export function expandKeys(keySet: usize): void {
	if (isDefined(WITH_TABLES)) expandTableKeys(keySet);
	else expandSlicedKeys(keySet);
}
