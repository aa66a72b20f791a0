/** A case of a vector file; which fields it has depends on the file (see the README of the vectors). */
// biome-ignore lint/suspicious/noExplicitAny: vectors are data of eight shapes, checked by use
export type VectorCase = any;

/** Checks one case. @throws Mismatch, or any error of the code under test, where it fails */
export type CaseCheck = (vector: VectorCase) => void;

export class Mismatch extends Error {}

/** @throws Mismatch where a value is not the one expected */
export function expectEqual(what: string, actual: unknown, expected: unknown): void {
	const found = JSON.stringify(actual);
	const wanted = JSON.stringify(expected);
	if (found !== wanted) throw new Mismatch(`${what} is ${found}, expected ${wanted}`);
}
