import type { SecurityParameters } from "../../firmware/emsdp/security-context.js";
import type { Kernel } from "../../firmware/kernels/kernel.js";
import { makeVector, sqnNumber, verifyAutn } from "../../firmware/keys/aka.js";
import {
	type AkaKeys,
	baseKeyFromAka,
	baseKeyFromSharedKey,
	chainedBaseKey,
	ckPrimeIkPrime,
	intermediateKey,
	resStar,
} from "../../firmware/keys/hierarchy.js";
import { kdf, kdfInput } from "../../firmware/keys/kdf.js";
import { Milenage } from "../../firmware/keys/milenage.js";
import { deriveKeys } from "../../firmware/keys/traffic.js";
import { fromHex, toHex } from "../hex.js";
import { expectEqual, type VectorCase } from "./vector-case.js";

/** The keys below K_base by the names of the vectors. */
export function keysByName(
	baseKey: Uint8Array,
	parameters: SecurityParameters,
	easId: Uint8Array,
): Record<string, string> {
	const keys = deriveKeys(baseKey, parameters, easId);
	return {
		K_E2Menc: toHex(keys.e2mEncryption),
		K_E2Mint: toHex(keys.e2mIntegrity),
		K_Intermediate: toHex(intermediateKey(baseKey, parameters.sessionId, parameters.keyId)),
		K_EAS_PSK: toHex(keys.kEasPsk),
		K_E2Eenc: toHex(keys.e2eEncryption),
		K_E2Eint: toHex(keys.e2eIntegrity),
	};
}

function checkDerivations(derivations: VectorCase[], made: Record<string, string>): void {
	for (const derivation of derivations) {
		const { name, fc, key, parameters, s, kdf_output, result } = derivation;
		const values = parameters.map((parameter: VectorCase) => fromHex(parameter.value));
		expectEqual(`${name}: S`, toHex(kdfInput(Number.parseInt(fc, 16), values)), s);
		expectEqual(`${name}: KDF`, toHex(kdf(fromHex(key), Number.parseInt(fc, 16), values)), kdf_output);
		// A derivation under a name that is not made here would otherwise pass unseen.
		expectEqual(name, made[name] ?? "not derived", result);
	}
}

function checkAka(kernel: Kernel, vector: VectorCase): { aka: AkaKeys; rand: Uint8Array; res: Uint8Array } {
	const { k, opc, rand, sqn, amf, autn, res, ck, ik, ak } = vector.milenage;
	const milenage = new Milenage(kernel, fromHex(k), fromHex(opc));
	const made = makeVector(milenage, fromHex(rand), sqnNumber(fromHex(sqn)), fromHex(amf));
	expectEqual("AUTN", toHex(made.autn), autn);
	expectEqual("RES", toHex(made.xres), res);
	expectEqual("CK", toHex(made.ck), ck);
	expectEqual("IK", toHex(made.ik), ik);
	expectEqual("AK", toHex(milenage.f2345(fromHex(rand)).ak), ak);
	expectEqual("SQN", verifyAutn(milenage, fromHex(rand), fromHex(autn))?.sqn, sqnNumber(fromHex(sqn)));
	milenage.erase();
	const servingNetwork = fromHex(vector.serving_network);
	const aka = { ck: made.ck, ik: made.ik, sqnXorAk: made.autn.subarray(0, 6), servingNetwork };
	return { aka, rand: made.rand, res: made.xres };
}

export function checkKeys(kernel: Kernel, vector: VectorCase): void {
	const { agreement, encryption, integrity } = vector;
	const sessionId = Number.parseInt(vector.session_id, 16);
	const easId = new TextEncoder().encode(vector.eas_id);
	const made: Record<string, string> = {};
	let baseKey: Uint8Array;
	if (vector.milenage !== undefined) {
		const { aka, rand, res } = checkAka(kernel, vector);
		baseKey = baseKeyFromAka(agreement, aka);
		made["K_base = K_ASME"] = toHex(baseKey);
		made["K_base = K_HSE (5G AKA)"] = toHex(baseKey);
		made["K_base = K_HSE (EAP-AKA')"] = toHex(baseKey);
		made["CK' || IK'"] = toHex(ckPrimeIkPrime(aka));
		made["RES*"] = toHex(resStar(aka.ck, aka.ik, aka.servingNetwork, rand, res));
		expectEqual("AKA response", agreement === 3 ? made["RES*"] : toHex(res), vector.aka_response);
	} else {
		baseKey = baseKeyFromSharedKey(fromHex(vector.shared_key), fromHex(vector.hse_nonce), fromHex(vector.ue_nonce));
		made["K_base from a shared key"] = toHex(baseKey);
	}
	expectEqual("K_base", toHex(baseKey), vector.k_base);
	const binding = { agreement, encryption, integrity, counterScheme: 0, macLength: 4, service: 1, mode: 0 };
	const chained = vector.after_chained_refresh;
	const newBaseKey = chainedBaseKey(baseKey, fromHex(chained.hse_nonce), chained.new_key_id);
	made["K_base after a chained refresh"] = toHex(newBaseKey);
	Object.assign(made, keysByName(baseKey, { ...binding, sessionId, keyId: vector.key_id }, easId));
	checkDerivations(vector.derivations, made);
	expectEqual("K_base after a chained refresh", toHex(newBaseKey), chained.k_base);
	checkDerivations(
		chained.derivations,
		keysByName(newBaseKey, { ...binding, sessionId, keyId: chained.new_key_id }, easId),
	);
}
