import type { Kernel, KeySet } from "../kernels/kernel.js";
import type { AkaFunctions, AkaVectors, MakeAkaFunctions } from "./aka.js";

/** The rotations r1 … r5 in octets and the last octets of c1 … c5 (TS 35.206 4.1). */
const ROTATION = [8, 0, 4, 8, 12] as const;
const CONSTANT = [0, 1, 2, 4, 8] as const;

/** Octets of the credentials in an identity record: K ‖ OP_C. */
const CREDENTIALS_OCTETS = 32;

/** MILENAGE of the credentials K ‖ OP_C. */
export const milenageFrom: MakeAkaFunctions = (kernel, credentials) =>
	credentials.length === CREDENTIALS_OCTETS
		? new Milenage(kernel, credentials.subarray(0, 16), credentials.subarray(16))
		: undefined;

/** OP_C = OP ⊕ E_K(OP) (TS 35.206 4.1). @param k 16 octets @param op 16 octets */
export function deriveOpc(kernel: Kernel, k: Uint8Array, op: Uint8Array): Uint8Array {
	const keySet = kernel.createKeySet();
	kernel.setKeys(keySet, k, k);
	const opc = encrypt(kernel, keySet, op);
	for (let i = 0; i < 16; i++) opc[i] ^= op[i];
	kernel.eraseKeys(keySet);
	return opc;
}

function encrypt(kernel: Kernel, keySet: KeySet, block: Uint8Array): Uint8Array {
	const { message } = kernel;
	message.set(block);
	kernel.encryptBlocks(keySet);
	const output = message.slice(0, 16);
	message.fill(0, 0, 32);
	return output;
}

/** MILENAGE (TS 35.206): f1 to f5, f1* and f5* of one subscriber. It works in the kernel's message buffer. */
export class Milenage implements AkaFunctions {
	private readonly kernel: Kernel;
	private readonly keySet: KeySet;
	private readonly opc: Uint8Array;

	/** @param k 16 octets @param opc OP_C, 16 octets */
	constructor(kernel: Kernel, k: Uint8Array, opc: Uint8Array) {
		this.kernel = kernel;
		this.keySet = kernel.createKeySet();
		kernel.setKeys(this.keySet, k, k);
		this.opc = opc.slice();
	}

	f1(rand: Uint8Array, sqn: Uint8Array, amf: Uint8Array): Uint8Array {
		return this.out1(rand, sqn, amf).slice(0, 8);
	}

	f1star(rand: Uint8Array, sqn: Uint8Array, amf: Uint8Array): Uint8Array {
		return this.out1(rand, sqn, amf).slice(8);
	}

	f2345(rand: Uint8Array): AkaVectors {
		const temp = this.temp(rand);
		const out2 = this.out(temp, 1);
		const result = { res: out2.slice(8), ck: this.out(temp, 2), ik: this.out(temp, 3), ak: out2.slice(0, 6) };
		out2.fill(0);
		return result;
	}

	f5star(rand: Uint8Array): Uint8Array {
		return this.out(this.temp(rand), 4).slice(0, 6);
	}

	erase(): void {
		this.kernel.eraseKeys(this.keySet);
		this.kernel.erase();
		this.opc.fill(0);
	}

	/** OUT1 = MAC-A ‖ MAC-S. */
	private out1(rand: Uint8Array, sqn: Uint8Array, amf: Uint8Array): Uint8Array {
		const input = new Uint8Array(16);
		input.set(sqn);
		input.set(amf, 6);
		input.copyWithin(8, 0, 8);
		const temp = this.temp(rand);
		for (let i = 0; i < 16; i++) temp[i] ^= input[(i + ROTATION[0]) & 15] ^ this.opc[(i + ROTATION[0]) & 15];
		temp[15] ^= CONSTANT[0];
		return this.finish(temp);
	}

	private temp(rand: Uint8Array): Uint8Array {
		const block = new Uint8Array(16);
		for (let i = 0; i < 16; i++) block[i] = rand[i] ^ this.opc[i];
		return encrypt(this.kernel, this.keySet, block);
	}

	private out(temp: Uint8Array, index: number): Uint8Array {
		const block = new Uint8Array(16);
		const rotation = ROTATION[index];
		for (let i = 0; i < 16; i++) block[i] = temp[(i + rotation) & 15] ^ this.opc[(i + rotation) & 15];
		block[15] ^= CONSTANT[index];
		return this.finish(block);
	}

	private finish(block: Uint8Array): Uint8Array {
		const out = encrypt(this.kernel, this.keySet, block);
		for (let i = 0; i < 16; i++) out[i] ^= this.opc[i];
		return out;
	}
}
