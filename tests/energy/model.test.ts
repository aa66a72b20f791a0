import { describe, expect, test } from "@jest/globals";
import { IP_AND_UDP, SOURCES, WAKE_UP } from "../../host-tools/energy/figures.js";
import { airEnergy, energyByProtocol } from "../../host-tools/energy/model.js";
import { emsdpOverhead, OVERHEADS } from "../../host-tools/energy/overheads.js";

const UP = { fromUe: true };
const DOWN = { fromUe: false };

describe("energy on the air", () => {
	test("is power times time: 100 octets at 0.9 W and 15,625 bit/s, and at 0.216 W and 21,250 bit/s", () => {
		expect(airEnergy(100 - IP_AND_UDP, UP)).toBeCloseTo((0.9 * 800) / 15_625, 9);
		expect(airEnergy(100 - IP_AND_UDP, DOWN)).toBeCloseTo((0.216 * 800) / 21_250, 9);
	});

	test("grows with the repetitions of the radio", () => {
		expect(airEnergy(64, { ...UP, repetitions: 8 })).toBeCloseTo(8 * airEnergy(64, UP), 12);
	});

	test("of 200 octets each way is within a factor of two of what was measured beside a wake-up: 0.021 mWh", () => {
		const measured = (0.076e-3 - 0.055e-3) * 3600;
		const modelled = airEnergy(200, UP) + airEnergy(200, DOWN);
		expect(modelled).toBeGreaterThan(measured / 2);
		expect(modelled).toBeLessThan(measured * 2);
	});

	test("of a reading is less than that of the wake-up it needs", () => {
		expect(airEnergy(74, UP)).toBeLessThan(WAKE_UP / 3);
	});
});

describe("beside other protocols", () => {
	test("overheads are those of the records", () => {
		expect(OVERHEADS).toEqual({ "DTLS 1.2 with CID": 34, "DTLS 1.3 with CID": 16, OSCORE: 23 });
		expect(emsdpOverhead({ counterScheme: 0, macLength: 4 })).toBe(10);
		expect(emsdpOverhead({ counterScheme: 2, macLength: 8 })).toBe(16);
	});

	test("the same payload costs what its octets cost", () => {
		const energies = energyByProtocol(20, 10, UP);
		expect(energies.EMSDP).toBe(airEnergy(30, UP));
		expect(energies["DTLS 1.2 with CID"]).toBe(airEnergy(54, UP));
		expect(energies["DTLS 1.3 with CID"]).toBe(airEnergy(36, UP));
		expect(energies.OSCORE).toBe(airEnergy(43, UP));
	});
});

test("every figure says where it comes from", () => {
	expect(SOURCES.map(({ year }) => year)).toEqual(["2019", "undated, read in 2026", "2022"]);
	for (const { figure, publication } of SOURCES) expect(figure.length * publication.length).toBeGreaterThan(0);
});
