import { describe, expect, test } from "@jest/globals";
import { JsKernel } from "../../firmware/kernels/js.js";
import { deriveOpc, Milenage } from "../../firmware/keys/milenage.js";
import { fromHex, toHex } from "../../host-tools/hex.js";
import { loadKernel } from "../../host-tools/kernel.js";
import { MILENAGE, MILENAGE_SETS } from "./published.js";

const KERNELS = [loadKernel(), new JsKernel()].map((kernel) => [kernel.name, kernel] as const);

test("all published sets are there", () => {
	expect([MILENAGE.ts35208.length, MILENAGE.ts35207.length]).toEqual([19, 6]);
});

describe.each(KERNELS)("%s", (_kernel, kernel) => {
	test.each(MILENAGE_SETS)("%s: OPc, f1, f1*, f2, f3, f4, f5, f5*", (_name, vector) => {
		const k = fromHex(vector.K);
		const rand = fromHex(vector.RAND);
		const opc = deriveOpc(kernel, k, fromHex(vector.OP));
		expect(toHex(opc)).toBe(vector.OPc);
		const milenage = new Milenage(kernel, k, opc);
		expect(toHex(milenage.f1(rand, fromHex(vector.SQN), fromHex(vector.AMF)))).toBe(vector.f1_MAC_A);
		expect(toHex(milenage.f1star(rand, fromHex(vector.SQN), fromHex(vector.AMF)))).toBe(vector.f1star_MAC_S);
		const { res, ck, ik, ak } = milenage.f2345(rand);
		expect([res, ck, ik, ak].map(toHex)).toEqual([vector.f2_RES, vector.f3_CK, vector.f4_IK, vector.f5_AK]);
		expect(toHex(milenage.f5star(rand))).toBe(vector.f5star_AK);
	});

	test("two subscribers on one kernel do not disturb each other, nor does a message in its buffer", () => {
		const [[, one], [, other]] = MILENAGE_SETS;
		const first = new Milenage(kernel, fromHex(one.K), fromHex(one.OPc));
		const second = new Milenage(kernel, fromHex(other.K), fromHex(other.OPc));
		kernel.message.fill(0xee);
		expect(toHex(first.f2345(fromHex(one.RAND)).ck)).toBe(one.f3_CK);
		kernel.message.fill(0x11);
		expect(toHex(second.f2345(fromHex(other.RAND)).ck)).toBe(other.f3_CK);
		expect(toHex(first.f5star(fromHex(one.RAND)))).toBe(one.f5star_AK);
	});

	test("inputs are left as they were; K and OPc may be erased once it has been made", () => {
		const [[, vector]] = MILENAGE_SETS;
		const k = fromHex(vector.K);
		const opc = fromHex(vector.OPc);
		const rand = fromHex(vector.RAND);
		const milenage = new Milenage(kernel, k, opc);
		k.fill(0);
		opc.fill(0);
		const sqn = fromHex(vector.SQN);
		expect(toHex(milenage.f1(rand, sqn, fromHex(vector.AMF)))).toBe(vector.f1_MAC_A);
		expect([toHex(rand), toHex(sqn)]).toEqual([vector.RAND, vector.SQN]);
	});

	test("erase: the keys and what passed through the buffer are gone", () => {
		const [[, vector]] = MILENAGE_SETS;
		const milenage = new Milenage(kernel, fromHex(vector.K), fromHex(vector.OPc));
		milenage.f2345(fromHex(vector.RAND));
		milenage.erase();
		expect(kernel.message.every((octet) => octet === 0)).toBe(true);
		expect(toHex(milenage.f2345(fromHex(vector.RAND)).ck)).not.toBe(vector.f3_CK);
	});
});
