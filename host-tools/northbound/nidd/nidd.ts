import {
	COUNTER_EXTENSION_OCTETS,
	HEADER,
	LONGEST_MESSAGE,
	MAC_LENGTHS,
	MODE,
	SERVICE,
} from "../../../firmware/emsdp/profile.js";
import { HseError } from "../../hse/errors.js";
import type { HseEvent } from "../../hse/events.js";
import type { ApplicationServer } from "../application-server.js";
import {
	bring,
	checkDestination,
	checkQuota,
	isListening,
	type NorthboundContext,
	nameOf,
	sessionOf,
	ueOf,
	websocketUriOf,
} from "../context.js";
import type { SessionView } from "../hse-port.js";
import type { ApiResponse } from "../operation.js";
import { invalid, notFound, Problem } from "../problem.js";
import type { Resource } from "../resources.js";
import { base64Of, dateTimeOf, octetsOf } from "../schemas.js";
import { type Steps, wait } from "../steps.js";
import type { UeName } from "../ue-directory.js";
import type {
	Configuration,
	ConfigurationPatch,
	ConfigurationRequest,
	Delivery,
	DeliveryStatus,
	TransferPatch,
	TransferRequest,
} from "./schemas.js";

/** The payload that every session has room for: the widest counters and the longest MAC. */
const SURE_PAYLOAD = LONGEST_MESSAGE - HEADER.length - Math.max(...COUNTER_EXTENSION_OCTETS) - Math.max(...MAC_LENGTHS);
/** How long a delivery that is over can still be read, in milliseconds. */
const KEPT = 3_600_000;
const PENDING: readonly DeliveryStatus[] = ["BUFFERING", "BUFFERING_TEMPORARILY_NOT_REACHABLE"];
/** What is before a delivery that comes now: in a shared store one that some process is sending as well. */
const BEFORE: readonly DeliveryStatus[] = [...PENDING, "SENDING"];
/** After how long a delivery that a process was sending has failed: it has ended in between. In milliseconds. */
const LONGEST_SENDING = 30_000;

type ConfigurationResource = Resource<Configuration>;
type DeliveryResource = Resource<Delivery>;

/**
 * Non-IP data delivery (TS 29.122 5.6) over BEST sessions: UP messages from a UE are notifications, deliveries are UP
 * messages to it, buffered until it is heard from. Reliable data service and group delivery are not there.
 */
export class Nidd {
	private readonly context: NorthboundContext;
	private readonly root: string;

	constructor(context: NorthboundContext) {
		this.context = context;
		this.root = `${context.apiRoot}/3gpp-nidd/v1`;
	}

	*createConfiguration(applicationServer: ApplicationServer, request: ConfigurationRequest): Steps<ApiResponse> {
		const { store, notifier, now, newId, limits } = this.context;
		refuseUnsupported(request);
		const ue = ueOf(this.context, applicationServer.id, request);
		const hasWebsocket = request.websockNotifConfig?.requestWebsocketUri === true;
		checkDestination(applicationServer, request.notificationDestination, "/notificationDestination");
		const present = yield* wait(store.count("configuration", applicationServer.id));
		checkQuota(present, limits.configurations, "NIDD configurations");
		const ofUe = yield* wait(store.ofUe<Configuration>("configuration", ue.imsi));
		const own = ofUe.filter((resource) => resource.applicationServer === applicationServer.id);
		checkQuota(own.length, limits.configurationsOfUe, "NIDD configurations of this UE");
		const resource: ConfigurationResource = {
			id: newId(),
			kind: "configuration",
			applicationServer: applicationServer.id,
			imsi: ue.imsi,
			parent: "",
			until: timeOf(request.duration, now()),
			body: {
				...nameOf(request),
				mtcProviderId: request.mtcProviderId,
				// No optional feature is agreed by number (TS 29.122 5.2.7).
				supportedFeatures: request.supportedFeatures === undefined ? undefined : "0",
				duration: request.duration,
				pdnEstablishmentOption: request.pdnEstablishmentOption,
				notificationDestination: request.notificationDestination,
				hasWebsocket,
			},
		};
		const [transfer] = request.niddDownlinkDataTransfers ?? [];
		if (transfer !== undefined) yield* this.checkTransfer(resource, transfer);
		yield* wait(store.put(resource));
		yield* wait(store.announce(resource));
		const self = this.uriOf(resource);
		if (request.requestTestNotification)
			yield* wait(notifier.notify(resource.id, resource.body.notificationDestination, { subscription: self }));
		const submitted = transfer && (yield* this.submit(resource, transfer));
		// One that may not be buffered was answered with a problem, which is no transfer.
		const transfers = submitted === undefined || submitted.status >= 300 ? [] : [submitted.body];
		return {
			status: 201,
			body: this.viewWith(resource, transfers),
			headers: { Location: self },
		};
	}

	*configurations(applicationServer: ApplicationServer): Steps<ApiResponse> {
		const { store } = this.context;
		const all = yield* wait(store.ofServer<Configuration>("configuration", applicationServer.id));
		// Asked for once: a question for each configuration would hold up everything else.
		const deliveries = yield* wait(store.ofServer<Delivery>("delivery", applicationServer.id));
		const pending = new Map<string, DeliveryResource[]>(all.map(({ id }) => [id, []]));
		for (const delivery of deliveries) if (isPending(delivery)) pending.get(delivery.parent)?.push(delivery);
		return { status: 200, body: all.map((resource) => this.viewOf(resource, pending.get(resource.id) ?? [])) };
	}

	*configuration(applicationServer: ApplicationServer, id: string): Steps<ApiResponse> {
		return { status: 200, body: yield* this.view(yield* this.known(applicationServer, id)) };
	}

	*patchConfiguration(applicationServer: ApplicationServer, id: string, patch: ConfigurationPatch): Steps<ApiResponse> {
		const { store, notifier, now } = this.context;
		yield* wait(store.lockUe((yield* this.known(applicationServer, id)).imsi));
		const old = yield* this.known(applicationServer, id);
		refuseUnsupported(patch);
		const { notificationDestination: destination, duration, pdnEstablishmentOption } = patch;
		if (destination !== undefined) checkDestination(applicationServer, destination, "/notificationDestination");
		const resource: ConfigurationResource = {
			...old,
			...(duration !== undefined && { until: timeOf(duration ?? undefined, now()) }),
			body: {
				...old.body,
				...(duration !== undefined && { duration: duration ?? undefined }),
				...(pdnEstablishmentOption !== undefined && { pdnEstablishmentOption: pdnEstablishmentOption ?? undefined }),
				...(destination !== undefined && { notificationDestination: destination }),
			},
		};
		yield* wait(store.put(resource));
		if (destination !== undefined) yield* wait(notifier.redirect(id, destination));
		return { status: 200, body: yield* this.view(resource) };
	}

	*removeConfiguration(applicationServer: ApplicationServer, id: string): Steps<ApiResponse> {
		const { store, notifier } = this.context;
		yield* wait(store.lockUe((yield* this.known(applicationServer, id)).imsi));
		yield* wait(store.remove(id));
		yield* wait(notifier.close(id));
		return { status: 204 };
	}

	*createDelivery(
		applicationServer: ApplicationServer,
		configurationId: string,
		request: TransferRequest,
	): Steps<ApiResponse> {
		const configuration = yield* this.known(applicationServer, configurationId);
		yield* this.checkTransfer(configuration, request);
		return yield* this.submit(configuration, request);
	}

	*deliveries(applicationServer: ApplicationServer, configurationId: string): Steps<ApiResponse> {
		const { id } = yield* this.known(applicationServer, configurationId);
		const pending = yield* this.pendingOf(id);
		return { status: 200, body: pending.map((delivery) => this.deliveryView(delivery)) };
	}

	*delivery(applicationServer: ApplicationServer, configurationId: string, id: string): Steps<ApiResponse> {
		const delivery = yield* this.knownDelivery(applicationServer, configurationId, id);
		return { status: 200, body: this.deliveryView(delivery) };
	}

	/** @param isWhole whether what is not given is gone (PUT), or stays (PATCH) */
	*changeDelivery(
		applicationServer: ApplicationServer,
		configurationId: string,
		id: string,
		change: TransferPatch & UeName & { readonly externalGroupId?: string | undefined },
		isWhole: boolean,
	): Steps<ApiResponse> {
		const old = yield* this.pendingDelivery(applicationServer, configurationId, id);
		const configuration = yield* this.known(applicationServer, configurationId);
		const { data, maximumLatency, priority, pdnEstablishmentOption } = change;
		const given = Object.fromEntries(
			Object.entries({ data, maximumLatency, priority, pdnEstablishmentOption }).filter(
				([, value]) => isWhole || value !== undefined,
			),
		);
		const { deliveryStatus } = old.body;
		const kept = isWhole ? { ...nameOf(change), data: old.body.data, deliveryStatus } : old.body;
		const body: Delivery = { ...kept, ...given };
		if (isWhole) yield* this.checkTransfer(configuration, { ...change, data: body.data });
		else this.checkData(body.data, change);
		const until = maximumLatency === undefined && !isWhole ? old.until : this.deadlineOf(body);
		const resource = { ...old, until, body };
		yield* wait(this.context.store.put(resource));
		return { status: 200, body: this.deliveryView(resource) };
	}

	*removeDelivery(applicationServer: ApplicationServer, configurationId: string, id: string): Steps<ApiResponse> {
		yield* this.pendingDelivery(applicationServer, configurationId, id);
		yield* wait(this.context.store.remove(id));
		return { status: 204 };
	}

	/** Reliable data service is not there, so no port is managed. */
	*ports(applicationServer: ApplicationServer, configurationId: string): Steps<ApiResponse> {
		yield* this.known(applicationServer, configurationId);
		return { status: 200, body: [] };
	}

	/** @throws Problem */
	*refusePort(applicationServer: ApplicationServer, configurationId: string, isNew: boolean): Steps<never> {
		yield* this.known(applicationServer, configurationId);
		if (isNew) throw new Problem(403, "RDS_NOT_SUPPORTED", "The reliable data service is not there: send without it.");
		throw notFound("port");
	}

	/** The channel of a WebSocket. @throws Problem where the configuration has none */
	*websocket(applicationServer: ApplicationServer, id: string): Steps<string> {
		if (!(yield* this.known(applicationServer, id)).body.hasWebsocket) throw notFound("WebSocket");
		return id;
	}

	*handleEvent(event: HseEvent): Steps<void> {
		if (event.kind !== "uplink") return;
		const { store, notifier } = this.context;
		for (const resource of yield* wait(store.ofUe<Configuration>("configuration", event.imsi))) {
			const notification = {
				niddConfiguration: this.uriOf(resource),
				...nameOf(resource.body),
				data: base64Of(event.payload),
				reliableDataService: false,
			};
			yield* wait(notifier.notify(resource.id, resource.body.notificationDestination, notification));
		}
	}

	/** Whether something is buffered for a UE. */
	*isWaiting(imsi: string): Steps<boolean> {
		const deliveries = yield* wait(this.context.store.ofUe<Delivery>("delivery", imsi));
		return deliveries.some(isPending);
	}

	/** Sends what was buffered for a UE that listens now: highest priority first, then in the order it came. */
	*flush(imsi: string): Steps<void> {
		const { store, hse } = this.context;
		for (let goesOn = true; goesOn; ) {
			yield* wait(store.lockUe(imsi));
			const deliveries = yield* wait(store.ofUe<Delivery>("delivery", imsi));
			const pending = deliveries.filter(isPending);
			pending.sort((one, other) => (other.body.priority ?? 0) - (one.body.priority ?? 0));
			// A session that another HSE has by now is served there.
			const session = hse.sessionOf(imsi);
			if (pending.length === 0 || session === undefined) return;
			// Where others could send them they are taken one by one: if this process ends, the next one has the rest.
			const taken = store.isShared ? pending.slice(0, 1) : pending;
			yield* this.take(taken);
			goesOn = (yield* this.send(session, taken)) && store.isShared;
			yield* wait(store.commit());
		}
	}

	/** Before one is sent no other process may send it any more, even if this one ends at once. */
	private *take(deliveries: readonly DeliveryResource[]): Steps<void> {
		const { store, now } = this.context;
		if (!store.isShared) return;
		for (const delivery of deliveries) {
			const body: Delivery = { ...delivery.body, deliveryStatus: "SENDING" };
			yield* wait(store.put({ ...delivery, until: now() + LONGEST_SENDING, body }));
		}
		yield* wait(store.commit());
	}

	/** @returns false where the session cannot take any more now */
	private *send(session: SessionView, deliveries: readonly DeliveryResource[]): Steps<boolean> {
		const { hse } = this.context;
		for (const [index, delivery] of deliveries.entries()) {
			if (whyWithoutData(session) !== undefined) {
				yield* this.end(delivery, "FAILURE");
				continue;
			}
			try {
				hse.send(session.sessionId, octetsOf(delivery.body.data));
			} catch (error) {
				if (!(error instanceof HseError)) throw error;
				// What this session cannot take now the next one may.
				if (error.code === "state" || error.code === "unknown" || error.code === "count") {
					yield* this.putBack(deliveries.slice(index), error.code === "unknown");
					return false;
				}
				yield* this.end(delivery, "FAILURE");
				continue;
			}
			yield* this.whenHandedOver();
			yield* this.end(delivery, "SUCCESS_NEXT_HOP_UNACKNOWLEDGED");
		}
		return true;
	}

	/** Where others go on when this process is killed, they are told that something was sent only once it has left. */
	private *whenHandedOver(): Steps<void> {
		const { store, hse } = this.context;
		if (store.isShared) yield* wait(hse.handedOver());
	}

	/** @param isElsewhere whether another HSE has the session now, which may send them at once */
	private *putBack(deliveries: readonly DeliveryResource[], isElsewhere: boolean): Steps<void> {
		const { store } = this.context;
		if (!store.isShared) return;
		for (const delivery of deliveries) yield* wait(store.put(delivery));
		if (isElsewhere) for (const delivery of deliveries.slice(0, 1)) yield* wait(store.announce(delivery));
	}

	/** The time of a resource is over. */
	*handleOver(resource: Resource): Steps<void> {
		const { store, notifier } = this.context;
		if (resource.kind === "delivery") {
			const delivery = resource as DeliveryResource;
			const { deliveryStatus } = delivery.body;
			if (PENDING.includes(deliveryStatus)) yield* this.end(delivery, "FAILURE_TIMEOUT");
			// Whether it was sent nobody knows any more: it is not sent twice.
			else if (deliveryStatus === "SENDING") yield* this.end(delivery, "FAILURE");
			else yield* wait(store.remove(resource.id));
		} else if (resource.kind === "configuration") {
			const { body, id } = resource as ConfigurationResource;
			const notification = { niddConfiguration: this.uriOf(resource), ...nameOf(body), status: "TERMINATED" };
			yield* wait(notifier.notify(id, body.notificationDestination, notification));
			yield* wait(store.remove(id));
			yield* wait(notifier.finish(id));
		}
	}

	private *known({ id: applicationServer }: ApplicationServer, id: string): Steps<ConfigurationResource> {
		const resource = yield* wait(this.context.store.get<Configuration>("configuration", applicationServer, id));
		if (resource === undefined) throw notFound("NIDD configuration");
		return resource;
	}

	private *knownDelivery(
		applicationServer: ApplicationServer,
		configurationId: string,
		id: string,
	): Steps<DeliveryResource> {
		yield* this.known(applicationServer, configurationId);
		const delivery = yield* wait(this.context.store.get<Delivery>("delivery", applicationServer.id, id));
		if (delivery?.parent !== configurationId) throw notFound("downlink data delivery");
		return delivery;
	}

	private *pendingDelivery(
		applicationServer: ApplicationServer,
		configurationId: string,
		id: string,
	): Steps<DeliveryResource> {
		const delivery = yield* this.knownDelivery(applicationServer, configurationId, id);
		if (!PENDING.includes(delivery.body.deliveryStatus))
			throw new Problem(
				409,
				"ALREADY_DELIVERED",
				`The delivery is under way or over: ${delivery.body.deliveryStatus}.`,
			);
		return delivery;
	}

	private *pendingOf(configurationId: string): Steps<DeliveryResource[]> {
		const parts = yield* wait(this.context.store.partsOf<Delivery>(configurationId));
		return parts.filter(isPending);
	}

	private *checkTransfer(configuration: ConfigurationResource, request: TransferRequest): Steps<void> {
		this.checkData(request.data, request);
		if (ueOf(this.context, configuration.applicationServer, request).imsi !== configuration.imsi)
			throw invalid(
				request.externalId === undefined ? "/msisdn" : "/externalId",
				"must name the UE of the NIDD configuration",
			);
		const session = yield* sessionOf(this.context, configuration.imsi);
		const why = session && whyWithoutData(session);
		if (why !== undefined) throw new Problem(403, "USER_PLANE_NOT_HERE", why);
	}

	private checkData(data: string, request: Parameters<typeof refuseUnsupported>[0]): void {
		refuseUnsupported(request);
		if (octetsOf(data).length > SURE_PAYLOAD)
			throw new Problem(
				403,
				"DATA_TOO_LARGE",
				`The data are longer than ${SURE_PAYLOAD} octets, the maximumPacketSize.`,
			);
	}

	/** Sends at once where the UE listens and nothing is before it, else buffers. */
	private *submit(configuration: ConfigurationResource, request: TransferRequest): Steps<ApiResponse> {
		const { hse, store, newId, limits } = this.context;
		const { imsi, applicationServer } = configuration;
		const { data, maximumLatency, priority } = request;
		const pdnEstablishmentOption = request.pdnEstablishmentOption ?? configuration.body.pdnEstablishmentOption;
		const session = yield* sessionOf(this.context, imsi);
		const delivery: DeliveryResource = {
			id: newId(),
			kind: "delivery",
			applicationServer,
			imsi,
			parent: configuration.id,
			until: undefined,
			body: {
				...nameOf(request),
				data,
				maximumLatency,
				priority,
				pdnEstablishmentOption: request.pdnEstablishmentOption,
				deliveryStatus: session === undefined ? "BUFFERING" : "BUFFERING_TEMPORARILY_NOT_REACHABLE",
			},
		};
		const listens =
			session !== undefined &&
			(yield* isListening(this.context, imsi)) &&
			(yield* bring(this.context, session.sessionId));
		yield* wait(store.lockUe(imsi));
		const deliveries = yield* wait(store.ofUe<Delivery>("delivery", imsi));
		const before = deliveries.filter(({ body }) => BEFORE.includes(body.deliveryStatus));
		if (session !== undefined && before.length === 0 && listens) {
			try {
				hse.send(session.sessionId, octetsOf(data));
				yield* this.whenHandedOver();
				const body: Delivery = { ...delivery.body, deliveryStatus: "SUCCESS_NEXT_HOP_UNACKNOWLEDGED" };
				const { self: _, ...view } = this.deliveryView({ ...delivery, body });
				return { status: 200, body: view };
			} catch (error) {
				if (!(error instanceof HseError)) throw error;
				if (error.code === "too-long") throw new Problem(403, "DATA_TOO_LARGE", error.message);
			}
		}
		if (pdnEstablishmentOption === "INDICATE_ERROR" || maximumLatency === 0) return notReachable();
		checkQuota(before.length, limits.buffered, "deliveries buffered for this UE");
		const resource = { ...delivery, until: this.deadlineOf(delivery.body) };
		yield* wait(store.put(resource));
		yield* wait(store.announce(resource));
		const view = this.deliveryView(resource);
		return { status: 201, body: view, headers: { Location: view.self } };
	}

	private deadlineOf({ maximumLatency }: Delivery): number | undefined {
		return maximumLatency === undefined ? undefined : this.context.now() + 1000 * maximumLatency;
	}

	/** A buffered delivery is over: the application server is told. */
	private *end(delivery: DeliveryResource, deliveryStatus: DeliveryStatus): Steps<void> {
		const { store, notifier, now } = this.context;
		const { applicationServer, parent } = delivery;
		yield* wait(store.put({ ...delivery, until: now() + KEPT, body: { ...delivery.body, deliveryStatus } }));
		const configuration = yield* wait(store.get<Configuration>("configuration", applicationServer, parent));
		if (configuration === undefined) return;
		const notification = { niddDownlinkDataTransfer: this.deliveryUriOf(delivery), deliveryStatus };
		yield* wait(notifier.notify(configuration.id, configuration.body.notificationDestination, notification));
	}

	private uriOf({ applicationServer, id }: Pick<Resource, "applicationServer" | "id">): string {
		return `${this.root}/${encodeURIComponent(applicationServer)}/configurations/${id}`;
	}

	private deliveryUriOf({ applicationServer, parent, id }: DeliveryResource): string {
		return `${this.uriOf({ applicationServer, id: parent })}/downlink-data-deliveries/${id}`;
	}

	private *view(resource: ConfigurationResource): Steps<object> {
		return this.viewOf(resource, yield* this.pendingOf(resource.id));
	}

	private viewOf(resource: ConfigurationResource, pending: readonly DeliveryResource[]): object {
		return this.viewWith(
			resource,
			pending.map((delivery) => this.deliveryView(delivery)),
		);
	}

	private viewWith(resource: ConfigurationResource, transfers: readonly unknown[]): object {
		const { hasWebsocket, ...body } = resource.body;
		const self = this.uriOf(resource);
		return {
			self,
			...body,
			...(hasWebsocket && {
				websockNotifConfig: { websocketUri: websocketUriOf(self), requestWebsocketUri: true },
			}),
			// TS 29.122 5.6.2.1.2: in bits.
			maximumPacketSize: 8 * SURE_PAYLOAD,
			...(transfers.length > 0 && { niddDownlinkDataTransfers: transfers }),
			status: "ACTIVE",
		};
	}

	private deliveryView(delivery: DeliveryResource): { self: string } {
		return { ...delivery.body, self: this.deliveryUriOf(delivery) };
	}
}

function isPending({ body }: DeliveryResource): boolean {
	return PENDING.includes(body.deliveryStatus);
}

/** Why no data go through the HSE in a session; undefined where they do. */
function whyWithoutData({ configuration: { mode, service } }: SessionView): string | undefined {
	if (service === SERVICE.keyAgreementOnly)
		return "The session of the UE is for key agreement only: it has no user plane.";
	if (mode === MODE.ueToEas)
		return "The session of the UE is in UE-to-EAS mode: its EAS protects what goes to the UE, so send it there.";
	return undefined;
}

/** NiddDownlinkDataDeliveryFailure (TS 29.122 5.6.2.2.4). */
function notReachable(): ApiResponse {
	const problemDetail = {
		title: "UE not reachable",
		status: 500,
		detail: "The UE does not listen now, and the request does not allow the data to be buffered.",
		cause: "TEMPORARILY_NOT_REACHABLE",
	};
	return { status: 500, body: { problemDetail } };
}

/** @throws Problem for what this SCEF does not have */
function refuseUnsupported(request: {
	readonly externalGroupId?: string | undefined;
	readonly reliableDataService?: boolean | null | undefined;
	readonly rdsPort?: unknown;
	readonly rdsPorts?: unknown;
}): void {
	if (request.externalGroupId !== undefined)
		throw invalid("/externalGroupId", "group message delivery is not there: name one UE");
	if (request.reliableDataService === true || request.rdsPort !== undefined || request.rdsPorts !== undefined)
		throw invalid("/reliableDataService", "the reliable data service is not there: send without it");
}

/** @param duration RFC 3339 @throws Problem where it is over already */
function timeOf(duration: string | undefined, now: number): number | undefined {
	if (duration === undefined) return undefined;
	const until = Date.parse(duration);
	if (!(until > now)) throw invalid("/duration", `must be after ${dateTimeOf(now)}`);
	return until;
}
