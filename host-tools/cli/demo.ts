import { type DemoSummary, runDemo } from "../demo/demo.js";
import { lines, machineReadings } from "../demo/readings.js";
import { MODES } from "../provision/fields.js";
import { AGREEMENTS, SERVICES, TEST_IMSI } from "../provision/provision.js";
import { ALGORITHMS_VALUE, algorithmsOption } from "./algorithms.js";
import { type Command, choiceOption, imsiOption, numberOption } from "./options.js";

const SERVICE_NAMES = ["confidential", "integrity"] as const;
const MODE_NAMES = ["hse", "eas"] as const;
const AGREEMENT_NAMES = ["eps-aka", "umts-aka"] as const;

function table(summary: DemoSummary): string[] {
	const rows: [string, string][] = [
		["readings sent / delivered intact", `${summary.sent} / ${summary.delivered}`],
		["payload octets", `${summary.payloadOctets}`],
		["octets on the wire (EMSDP)", `${summary.wireOctets}`],
		["overhead per message", `${summary.overheadPerMessage} octets`],
		["set-up", `${summary.setupOctets} octets, ${summary.setupRoundTrips} round trip(s)`],
		["time per uplink on the device", `${summary.usPerUplink} µs (client call to datagram)`],
		["heap peak of the engine", `${summary.heapPeakBytes} bytes`],
		["engine, kernel", `${summary.engine}, ${summary.kernel}`],
	];
	return rows.map(([name, value]) => `  ${name.padEnd(34)}${value}`);
}

export const demo: Command = {
	name: "demo",
	summary: "the main job: an HSE, a device and protected readings, all on this machine",
	options: {
		input: {
			value: "FILE|-",
			help: "send the lines of a file, or of standard input, instead of readings of this machine",
		},
		count: { value: "N", help: "how many readings of this machine (10)" },
		mode: {
			value: MODE_NAMES.join("|"),
			help: "where the user plane ends: eas: with an EAS of its own (hse)",
		},
		service: { value: SERVICE_NAMES.join("|"), help: "service asked for (confidential)" },
		agreement: { value: AGREEMENT_NAMES.join("|"), help: "key agreement offered (eps-aka)" },
		algorithms: {
			value: ALGORITHMS_VALUE,
			help: "offered by the device and granted by the HSE, the one that it prefers first (aes)",
		},
		imsi: { value: "DIGITS", help: `subscriber that is made (the first free one from ${TEST_IMSI})` },
		port: { value: "N", help: "UDP port of the HSE (any free one)" },
		database: { value: "FILE", help: "keep the HSE's database in a file" },
		pcap: { value: "FILE", help: "write a capture" },
		json: { help: "print one JSON object and nothing else" },
	},
	example: "best demo --input readings.txt --pcap demo.pcap",
	async run(options) {
		const json = options.json === true;
		const print = json ? () => {} : (line: string) => console.log(line);
		const input = options.input;
		const summary = await runDemo({
			readings:
				typeof input === "string" ? lines(input) : machineReadings(numberOption(options, "count", 10, 1, 1_000_000)),
			database: typeof options.database === "string" ? options.database : undefined,
			pcap: typeof options.pcap === "string" ? options.pcap : undefined,
			port: numberOption(options, "port", 0, 1, 65_535),
			imsi: imsiOption(options),
			service: SERVICES[choiceOption(options, "service", SERVICE_NAMES, "confidential")],
			mode: MODES[choiceOption(options, "mode", MODE_NAMES, "hse")],
			agreement: AGREEMENTS[choiceOption(options, "agreement", AGREEMENT_NAMES, "eps-aka")],
			algorithms: algorithmsOption(options),
			print,
		});
		if (json) console.log(JSON.stringify(summary));
		else for (const line of ["", ...table(summary)]) console.log(line);
		const lost = summary.sent - summary.delivered;
		if (lost > 0) console.error(`best demo: ${lost} of ${summary.sent} readings were not delivered intact.`);
		// Nothing sent because there was no session is a failure too; no readings at all is not.
		return lost > 0 || summary.setupRoundTrips === 0 ? 1 : 0;
	},
};
