import { runDemo } from "../demo/demo.js";
import { machineReadings } from "../demo/readings.js";
import { hasXsHost } from "../device/device.js";
import { MODES } from "../provision/fields.js";
import { AGREEMENTS, ALGORITHMS, SERVICES } from "../provision/provision.js";
import type { BenchRow } from "./kernel-rows.js";

const UPLINKS = 500;
const PAYLOAD_OCTETS = 20;

function* payloads(): Generator<Uint8Array> {
	for (const reading of machineReadings(UPLINKS)) {
		const payload = new Uint8Array(PAYLOAD_OCTETS);
		payload.set(reading.subarray(0, PAYLOAD_OCTETS));
		yield payload;
	}
}

/** One protected uplink on the firmware, client call to datagram, mean over a whole session with an HSE. */
export async function uplinkRows(): Promise<BenchRow[]> {
	if (!hasXsHost()) return [];
	const { usPerUplink, delivered } = await runDemo({
		readings: payloads(),
		database: undefined,
		port: 0,
		pcap: undefined,
		imsi: undefined,
		service: SERVICES.confidential,
		mode: MODES.hse,
		agreement: AGREEMENTS["eps-aka"],
		algorithms: [ALGORITHMS.aes],
		print: () => {},
	});
	if (delivered !== UPLINKS) throw new Error(`Only ${delivered} of ${UPLINKS} uplinks arrived.`);
	return [{ where: "xs", what: "uplink", name: "best-ct", size: PAYLOAD_OCTETS, ns: 1000 * usPerUplink }];
}
