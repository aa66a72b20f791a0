import { hexText, type SubscriberFormat } from "./format.js";
import { documentsOf, member } from "./json-documents.js";

/**
 * The collection subscriptionData.authenticationData.authenticationSubscription, or what the web console takes, which
 * holds the same under AuthenticationSubscription. Names of releases with and without "enc" (TS 29.505) are read.
 */
export const free5gc: SubscriberFormat = {
	help: "JSON of mongoexport / mongoimport, collection …authenticationSubscription of free5GC, or of its web console",
	async *read(file) {
		for await (const document of documentsOf(file)) {
			const data = member(document, "AuthenticationSubscription") ?? document;
			const opc = hexText(member(data, "opc", "opcValue") ?? member(data, "encOpcKey"));
			const sqn = member(data, "sequenceNumber");
			yield {
				imsi: String(member(document, "ueId") ?? "").replace(/^imsi-/, ""),
				k: hexText(member(data, "permanentKey", "permanentKeyValue") ?? member(data, "encPermanentKey")),
				...(opc === "" ? { op: hexText(member(data, "milenage", "op", "opValue")) } : { opc }),
				amf: hexText(member(data, "authenticationManagementField")),
				// Hex digits already.
				sqn: hexText(member(sqn, "sqn") ?? sqn) || "000000000000",
			};
		}
	},
	async *write(subscribers) {
		for await (const { imsi, k, opc, amf, sqn } of subscribers)
			yield JSON.stringify({
				ueId: `imsi-${imsi}`,
				authenticationMethod: "5G_AKA",
				permanentKey: { permanentKeyValue: k, encryptionKey: 0, encryptionAlgorithm: 0 },
				sequenceNumber: sqn.toString(16).padStart(12, "0"),
				authenticationManagementField: amf,
				milenage: { op: { opValue: "", encryptionKey: 0, encryptionAlgorithm: 0 } },
				opc: { opcValue: opc, encryptionKey: 0, encryptionAlgorithm: 0 },
			});
	},
};
