import type { Api, ApiRequest, Operation } from "../operation.js";
import type { Nidd } from "./nidd.js";
import {
	type ConfigurationPatch,
	type ConfigurationRequest,
	NiddConfiguration,
	NiddConfigurationPatch,
	NiddDownlinkDataTransfer,
	NiddDownlinkDataTransferPatch,
	type TransferPatch,
	type TransferRequest,
} from "./schemas.js";

const CONFIGURATIONS = "/{scsAsId}/configurations";
const CONFIGURATION = `${CONFIGURATIONS}/{configurationId}`;
const DELIVERIES = `${CONFIGURATION}/downlink-data-deliveries`;
const DELIVERY = `${DELIVERIES}/{downlinkDataDeliveryId}`;
const PORTS = `${CONFIGURATION}/rds-ports`;
const MERGE_PATCH = "application/merge-patch+json";

/** The operations of the published document, by its operationIds. */
export function niddApi(nidd: Nidd): Api {
	const operation = (
		id: string,
		method: Operation["method"],
		path: string,
		handle: Operation["handle"],
		body?: Pick<Operation, "body" | "bodyType">,
	): Operation => ({ id, method, path, tag: "NIDD", summary: id, responses: {}, handle, ...body });
	const configurationId = ({ path }: ApiRequest) => path.configurationId;
	const deliveryId = ({ path }: ApiRequest) => path.downlinkDataDeliveryId;
	return {
		name: "3gpp-nidd",
		version: "v1",
		operations: [
			operation("FetchAllNIDDConfigurations", "get", CONFIGURATIONS, (request) =>
				nidd.configurations(request.applicationServer),
			),
			operation(
				"CreateNIDDConfiguration",
				"post",
				CONFIGURATIONS,
				(request) => nidd.createConfiguration(request.applicationServer, request.body as ConfigurationRequest),
				{ body: NiddConfiguration },
			),
			operation("FetchIndNIDDConfiguration", "get", CONFIGURATION, (request) =>
				nidd.configuration(request.applicationServer, configurationId(request)),
			),
			operation(
				"ModifyNIDDConfiguration",
				"patch",
				CONFIGURATION,
				(request) =>
					nidd.patchConfiguration(
						request.applicationServer,
						configurationId(request),
						request.body as ConfigurationPatch,
					),
				{ body: NiddConfigurationPatch, bodyType: MERGE_PATCH },
			),
			operation("DeleteNIDDConfiguration", "delete", CONFIGURATION, (request) =>
				nidd.removeConfiguration(request.applicationServer, configurationId(request)),
			),
			operation("FetchAllDownlinkDataDeliveries", "get", DELIVERIES, (request) =>
				nidd.deliveries(request.applicationServer, configurationId(request)),
			),
			operation(
				"CreateDownlinkDataDelivery",
				"post",
				DELIVERIES,
				(request) =>
					nidd.createDelivery(request.applicationServer, configurationId(request), request.body as TransferRequest),
				{ body: NiddDownlinkDataTransfer },
			),
			operation("FetchIndDownlinkDataDelivery", "get", DELIVERY, (request) =>
				nidd.delivery(request.applicationServer, configurationId(request), deliveryId(request)),
			),
			operation(
				"UpdateIndDownlinkDataDelivery",
				"put",
				DELIVERY,
				(request) =>
					nidd.changeDelivery(
						request.applicationServer,
						configurationId(request),
						deliveryId(request),
						request.body as TransferRequest,
						true,
					),
				{ body: NiddDownlinkDataTransfer },
			),
			operation(
				"ModifyIndDownlinkDataDelivery",
				"patch",
				DELIVERY,
				(request) =>
					nidd.changeDelivery(
						request.applicationServer,
						configurationId(request),
						deliveryId(request),
						request.body as TransferPatch,
						false,
					),
				{ body: NiddDownlinkDataTransferPatch, bodyType: MERGE_PATCH },
			),
			operation("DeleteIndDownlinkDataDelivery", "delete", DELIVERY, (request) =>
				nidd.removeDelivery(request.applicationServer, configurationId(request), deliveryId(request)),
			),
			operation("FetchAllManagePortConfigurations", "get", PORTS, (request) =>
				nidd.ports(request.applicationServer, configurationId(request)),
			),
			operation("FetchIndManagePortConfiguration", "get", `${PORTS}/{portId}`, (request) =>
				nidd.refusePort(request.applicationServer, configurationId(request), false),
			),
			operation("UpdateIndManagePortConfiguration", "put", `${PORTS}/{portId}`, (request) =>
				nidd.refusePort(request.applicationServer, configurationId(request), true),
			),
			operation("DeleteIndManagePortConfiguration", "delete", `${PORTS}/{portId}`, (request) =>
				nidd.refusePort(request.applicationServer, configurationId(request), false),
			),
		],
	};
}
