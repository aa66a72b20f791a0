import { z } from "zod";
import { Bytes, DateTime, DurationSec, ExternalId, Link, Msisdn, Text, WebsockNotifConfig } from "../schemas.js";

/*
 * Data types of TS 29.122 5.6.2, as far as they are taken from a request. What a resource answers is held against the
 * published OpenAPI document in the tests.
 */

/** An extensible enumeration: values that are not known are taken as the default. */
const PdnEstablishmentOption = Text.max(64);

const RdsPort = z.object({ portUE: z.int().min(0).max(65_535), portSCEF: z.int().min(0).max(65_535) });

const ueNames = {
	externalId: ExternalId.optional(),
	msisdn: Msisdn.optional(),
	externalGroupId: ExternalId.optional(),
};

/** TS 29.122: one of externalId, msisdn and externalGroupId. */
function hasOneName(value: { externalId?: unknown; msisdn?: unknown; externalGroupId?: unknown }): boolean {
	return [value.externalId, value.msisdn, value.externalGroupId].filter((name) => name !== undefined).length === 1;
}
const ONE_NAME = { message: "exactly one of externalId, msisdn and externalGroupId is needed", path: ["externalId"] };

const transfer = {
	data: Bytes,
	reliableDataService: z.boolean().optional(),
	rdsPort: RdsPort.optional(),
	maximumLatency: DurationSec.optional(),
	priority: z.int().min(-2_147_483_648).max(2_147_483_647).optional(),
	pdnEstablishmentOption: PdnEstablishmentOption.optional(),
};

export const NiddDownlinkDataTransfer = z.object({ ...ueNames, ...transfer }).refine(hasOneName, ONE_NAME);

export const NiddDownlinkDataTransferPatch = z.object(transfer).partial();

export const NiddConfiguration = z
	.object({
		supportedFeatures: z
			.string()
			.max(64)
			.regex(/^[A-Fa-f0-9]*$/)
			.optional(),
		mtcProviderId: Text.max(256).optional(),
		...ueNames,
		duration: DateTime.optional(),
		reliableDataService: z.boolean().optional(),
		rdsPorts: z.array(RdsPort).min(1).max(64).optional(),
		pdnEstablishmentOption: PdnEstablishmentOption.optional(),
		notificationDestination: Link,
		requestTestNotification: z.boolean().optional(),
		websockNotifConfig: WebsockNotifConfig.optional(),
		niddDownlinkDataTransfers: z.array(NiddDownlinkDataTransfer).min(1).max(1).optional(),
	})
	.refine(hasOneName, ONE_NAME);

export const NiddConfigurationPatch = z.object({
	duration: DateTime.nullable().optional(),
	reliableDataService: z.boolean().nullable().optional(),
	rdsPorts: z.array(RdsPort).min(1).max(64).optional(),
	pdnEstablishmentOption: PdnEstablishmentOption.nullable().optional(),
	notificationDestination: Link.optional(),
});

export type ConfigurationRequest = z.infer<typeof NiddConfiguration>;
export type ConfigurationPatch = z.infer<typeof NiddConfigurationPatch>;
export type TransferRequest = z.infer<typeof NiddDownlinkDataTransfer>;
export type TransferPatch = z.infer<typeof NiddDownlinkDataTransferPatch>;

/** What is stored of a configuration. */
export interface Configuration {
	readonly externalId?: string | undefined;
	readonly msisdn?: string | undefined;
	readonly mtcProviderId?: string | undefined;
	readonly supportedFeatures?: string | undefined;
	readonly duration?: string | undefined;
	readonly pdnEstablishmentOption?: string | undefined;
	readonly notificationDestination: string;
	readonly hasWebsocket: boolean;
}

export type DeliveryStatus =
	| "SUCCESS_NEXT_HOP_UNACKNOWLEDGED"
	| "BUFFERING"
	| "BUFFERING_TEMPORARILY_NOT_REACHABLE"
	| "SENDING"
	| "FAILURE"
	| "FAILURE_TIMEOUT";

/** What is stored of a downlink data delivery. */
export interface Delivery {
	readonly externalId?: string | undefined;
	readonly msisdn?: string | undefined;
	readonly data: string;
	readonly maximumLatency?: number | undefined;
	readonly priority?: number | undefined;
	readonly pdnEstablishmentOption?: string | undefined;
	readonly deliveryStatus: DeliveryStatus;
}
