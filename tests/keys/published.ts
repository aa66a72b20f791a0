import { readFileSync } from "node:fs";

/** A file of tests/vectors/3gpp. */
export function published<Contents>(name: string): Contents {
	return JSON.parse(readFileSync(new URL(`../vectors/3gpp/${name}`, import.meta.url), "utf8"));
}

/** One set of TS 35.207 or TS 35.208. */
export interface MilenageSet {
	readonly set: number;
	readonly spec: string;
	readonly K: string;
	readonly RAND: string;
	readonly SQN: string;
	readonly AMF: string;
	readonly OP: string;
	readonly OPc: string;
	readonly f1_MAC_A: string;
	readonly f1star_MAC_S: string;
	readonly f2_RES: string;
	readonly f3_CK: string;
	readonly f4_IK: string;
	readonly f5_AK: string;
	readonly f5star_AK: string;
	readonly AUTN: string;
}

export interface MilenageVectors {
	readonly ts35208: readonly MilenageSet[];
	readonly ts35207: readonly MilenageSet[];
	readonly auts: readonly {
		readonly K: string;
		readonly OPc: string;
		readonly RAND: string;
		readonly AUTS: string;
		readonly SQN_MS: string;
	}[];
}

export const MILENAGE = published<MilenageVectors>("milenage.json");

/** Every set of both documents, with a name for people. */
export const MILENAGE_SETS = [...MILENAGE.ts35208, ...MILENAGE.ts35207].map(
	(vector) => [`${vector.spec.slice(0, 9)} set ${vector.set}`, vector] as const,
);
