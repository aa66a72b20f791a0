import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { Fields } from "../provision/fields.js";
import { type ExportedSubscriber, hexText, type SubscriberFormat, sqnText } from "./format.js";
import { type Document, documentsOf, member } from "./json-documents.js";

function fieldsOf({ imsi, security }: Document): Fields {
	const opc = hexText(member(security, "opc"));
	const sqn = member(security, "sqn");
	return {
		imsi: String(imsi ?? ""),
		k: hexText(member(security, "k")),
		...(opc === "" ? { op: hexText(member(security, "op")) } : { opc }),
		amf: hexText(member(security, "amf")),
		// Long of MongoDB's extended JSON, or a number.
		sqn: sqnText(member(sqn, "$numberLong") ?? sqn),
	};
}

const BANDWIDTH = { downlink: { value: 1, unit: 3 }, uplink: { value: 1, unit: 3 } };

/** What Open5GS needs beside the keys: one slice with one data network, as its own tool makes them. */
function documentOf({ imsi, k, opc, amf, sqn }: ExportedSubscriber): Document {
	const qos = { index: 9, arp: { priority_level: 8, pre_emption_capability: 1, pre_emption_vulnerability: 2 } };
	const session = { name: "internet", type: 3, qos, ambr: BANDWIDTH, pcc_rule: [] };
	return {
		schema_version: 1,
		imsi,
		security: { k, op: null, opc, amf, sqn: { $numberLong: String(sqn) } },
		ambr: BANDWIDTH,
		slice: [{ sst: 1, default_indicator: true, session: [session] }],
		access_restriction_data: 32,
		network_access_mode: 0,
		subscriber_status: 0,
		subscribed_rau_tau_timer: 12,
	};
}

/** The collection `subscribers`, by mongoexport and for mongoimport. */
export const open5gs: SubscriberFormat = {
	help: "JSON of mongoexport / mongoimport, collection subscribers of Open5GS",
	async *read(file) {
		for await (const document of documentsOf(file)) yield fieldsOf(document);
	},
	async *write(subscribers) {
		for await (const subscriber of subscribers) yield JSON.stringify(documentOf(subscriber));
	},
};

const ADD = /^\s*(?:\S*open5gs-dbctl\s+)?(?:--\S+\s+)*add\w*\s+(.*)$/;

/** A script of `open5gs-dbctl add IMSI [IP] K OPC` lines. Only read: written, its keys would be in the process list. */
export const open5gsDbctl: SubscriberFormat = {
	help: "lines of open5gs-dbctl add IMSI [IP] K OPC (import only: run, they show keys to all of the machine)",
	async *read(file) {
		for await (const line of createInterface({ input: createReadStream(file) })) {
			const words = ADD.exec(line)?.[1]?.trim().split(/\s+/) ?? [];
			if (words.length < 3) continue;
			const keys = words.filter((word) => /^[0-9a-f]{32}$/i.test(word)).map(hexText);
			yield { imsi: words[0], k: keys[0] ?? "", opc: keys[1] ?? "" };
		}
	},
};
