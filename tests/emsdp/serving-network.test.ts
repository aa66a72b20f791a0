import { expect, test } from "@jest/globals";
import { isServingNetwork, nameForm, plmnForm } from "../../firmware/emsdp/serving-network.js";
import { fromHex, toHex } from "../../host-tools/hex.js";

const isGood = (octets: Uint8Array) => isServingNetwork(octets, 0, octets.length);
const text = (value: string) => new TextEncoder().encode(`\u0001${value}`);

test("a PLMN of two and of three MNC digits (TS 24.301 9.9.3.32)", () => {
	expect(toHex(plmnForm("001", "01"))).toBe("0000f110");
	expect(toHex(plmnForm("262", "02"))).toBe("0062f220");
	expect(toHex(plmnForm("310", "410"))).toBe("00130014");
});

test("a serving network name has an MNC of three digits (TS 24.501 9.12.1)", () => {
	const nameOf = (mcc: string, mnc: string) => new TextDecoder().decode(nameForm(mcc, mnc).subarray(1));
	expect(nameOf("001", "01")).toBe("5G:mnc001.mcc001.3gppnetwork.org");
	expect(nameOf("310", "410")).toBe("5G:mnc410.mcc310.3gppnetwork.org");
	expect(nameForm("001", "01")[0]).toBe(1);
});

test("both forms are taken for every MCC and MNC", () => {
	for (let number = 0; number < 1000; number += 7) {
		const mcc = String(number).padStart(3, "0");
		const mncs = [String(number % 100).padStart(2, "0"), String((number * 13) % 1000).padStart(3, "0")];
		for (const mnc of mncs) expect([isGood(plmnForm(mcc, mnc)), isGood(nameForm(mcc, mnc))]).toEqual([true, true]);
	}
});

test("of the PLMN every nibble is a digit, but for the third MNC digit, which may be F", () => {
	for (let at = 0; at < 6; at++) {
		const taken = [..."0123456789abcdef"].filter((nibble) => {
			const plmn = [..."00f110"];
			plmn[at] = nibble;
			return isGood(fromHex(`00${plmn.join("")}`));
		});
		// Nibble 2, the high half of the second octet, is the third digit of the MNC.
		expect([at, taken.join("")]).toEqual([at, at === 2 ? "0123456789f" : "0123456789"]);
	}
});

test.each(["00", "0000f1", "0000f11000", "0200f110", "ff00f110"])("%s is no serving network", (value) => {
	expect(isGood(fromHex(value))).toBe(false);
});

test.each(["", "5G", "5G:", "5g:mnc001", "mnc001.mcc001", " 5G:mnc001"])(
	"the name '%s' does not begin with 5G:",
	(name) => {
		expect(isGood(text(name))).toBe(false);
	},
);

test("a name may be as long as a TLV, and has no control character, space or octet from 80 on", () => {
	expect(isGood(text(`5G:${"a".repeat(251)}`))).toBe(true);
	const taken = Array.from({ length: 256 }, (_, octet) => octet).filter((octet) =>
		isGood(Uint8Array.of(1, 0x35, 0x47, 0x3a, 0x61, octet)),
	);
	expect(taken).toEqual(Array.from({ length: 0x7e - 0x20 }, (_, i) => 0x21 + i));
});

test("only the octets of the value are looked at", () => {
	const around = fromHex("ee0000f110ee");
	expect([isServingNetwork(around, 1, 4), isServingNetwork(around, 1, 5), isServingNetwork(around, 0, 4)]).toEqual([
		true,
		false,
		false,
	]);
});
