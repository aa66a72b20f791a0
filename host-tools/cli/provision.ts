import { isIP } from "node:net";
import { UDP_PORT } from "../../firmware/emsdp/profile.js";
import { HseDatabase } from "../hse/database.js";
import { AGREEMENTS, provision as provisionDevice, SERVICES, TEST_IMSI } from "../provision/provision.js";
import { ALGORITHMS_VALUE, algorithmsOption } from "./algorithms.js";
import { UsageError } from "./errors.js";
import { type Command, choiceOption, imsiOption, numberOption, textOption } from "./options.js";

export const provision: Command = {
	name: "provision",
	summary: "make a subscriber with fresh keys and write its identity into the file-backed store of a device",
	options: {
		store: { value: "DIR", help: "the device's store: that of the simulator or of the XS host (best-store)" },
		database: { value: "FILE", help: "the HSE's database (best-hse.db)" },
		imsi: { value: "DIGITS", help: `(${TEST_IMSI})` },
		"hse-address": { value: "ADDRESS", help: "numeric address of the HSE (127.0.0.1)" },
		"hse-port": { value: "N", help: `(${UDP_PORT})` },
		"eas-id": { value: "TEXT", help: "(meter.demo)" },
		service: { value: "confidential|integrity", help: "service asked for (confidential)" },
		agreement: { value: "eps-aka|umts-aka", help: "key agreement offered (eps-aka)" },
		algorithms: { value: ALGORITHMS_VALUE, help: "offered for ciphering and integrity, in any order (aes)" },
	},
	example: "best provision --store best-store --database best-hse.db",
	async run(options) {
		const hseAddress = textOption(options, "hse-address", "127.0.0.1");
		if (isIP(hseAddress) === 0)
			throw new UsageError(`--hse-address is "${hseAddress}": a numeric IPv4 or IPv6 address is allowed.`);
		const storeDirectory = textOption(options, "store", "best-store");
		const imsi = imsiOption(options) ?? TEST_IMSI;
		const hsePort = numberOption(options, "hse-port", UDP_PORT, 1, 65_535);
		const easId = textOption(options, "eas-id", "meter.demo");
		const service = SERVICES[choiceOption(options, "service", ["confidential", "integrity"], "confidential")];
		const agreement = AGREEMENTS[choiceOption(options, "agreement", ["eps-aka", "umts-aka"], "eps-aka")];
		const algorithms = algorithmsOption(options);
		const database = new HseDatabase(textOption(options, "database", "best-hse.db"));
		try {
			provisionDevice({ database, storeDirectory, imsi, hseAddress, hsePort, easId, service, agreement, algorithms });
		} finally {
			database.close();
		}
		console.log(`Subscriber ${imsi} is in the database, and its identity in ${storeDirectory}.`);
		return 0;
	},
};
