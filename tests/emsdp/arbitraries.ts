import fc from "fast-check";

/** Settings of every property: the same cases in each run, so that a failure is there again. */
export function seeded(numRuns: number): fc.Parameters<unknown> {
	return { seed: 33163, numRuns };
}

export function octets(minLength: number, maxLength = minLength): fc.Arbitrary<Uint8Array> {
	return fc.uint8Array({ minLength, maxLength });
}

/** One TLV as it stands on the wire. */
export interface Tlv {
	readonly tag: number;
	readonly value: Uint8Array;
}

/** TLVs one behind the other. */
export function encodeTlvs(tlvs: readonly Tlv[]): Uint8Array {
	return Uint8Array.from(tlvs.flatMap(({ tag, value }) => [tag, value.length, ...value]));
}
