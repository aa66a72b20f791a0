import { rowsOf } from "../provision/rows.js";
import type { SubscriberFormat } from "./format.js";
import { free5gc } from "./free5gc.js";
import { open5gs, open5gsDbctl } from "./open5gs.js";
import { osmoHlr, osmoHlrControl } from "./osmo-hlr.js";
import { pysim } from "./pysim.js";

/** What best keygen writes: the fields of best provision, as CSV or as JSON on lines. */
const best: SubscriberFormat = {
	help: "CSV or JSON lines with the fields of best provision, as best keygen writes them (import only)",
	async *read(file) {
		// What is the device's alone is passed over.
		for await (const { fields } of rowsOf(file)) {
			const { port, fingerprint, ...rest } = fields;
			yield rest;
		}
	},
};

/** By the words that the command takes. */
export const FORMATS: Readonly<Record<string, SubscriberFormat>> = {
	best,
	open5gs,
	"open5gs-dbctl": open5gsDbctl,
	free5gc,
	"osmo-hlr": osmoHlr,
	"osmo-hlr-ctrl": osmoHlrControl,
	pysim,
};
