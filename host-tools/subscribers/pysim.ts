import { rowsOf } from "../provision/rows.js";
import { hexText, type SubscriberFormat } from "./format.js";

/** CSV with a header, as pySim-prog takes it by --read-csv: imsi, ki, opc or op, and whatever else a card has. */
export const pysim: SubscriberFormat = {
	help: "CSV of pySim with a header: imsi, ki, opc (or op), iccid and more",
	async *read(file) {
		for await (const { fields } of rowsOf(file)) {
			const opc = hexText(fields.opc);
			yield {
				imsi: fields.imsi ?? "",
				k: hexText(fields.ki),
				...(opc === "" ? { op: hexText(fields.op) } : { opc }),
			};
		}
	},
	async *write(subscribers) {
		// pySim-prog finds a row by its IMSI but wants the column of ICCIDs, which are not known here.
		yield "iccid,imsi,ki,opc";
		for await (const { imsi, k, opc } of subscribers) yield `,${imsi},${k},${opc}`;
	},
};
