import { openApiOf } from "../openapi.js";
import type { Api } from "../operation.js";
import { EventNotification } from "./schemas.js";

/** The OpenAPI 3.1 document of the BEST API. */
export function bestDocument(api: Api): Readonly<Record<string, unknown>> {
	return openApiOf(
		api,
		{
			title: "3gpp-best",
			version: "1.0.0",
			description:
				"Sessions and keys of BEST (Battery Efficient Security, 3GPP TS 33.163) for application servers, in the style of the T8 reference point (TS 29.122). The commands are those that the SA3 liaison statement on northbound APIs names; paths and data types are this project's own. Data go by the NIDD API, 3gpp-nidd.",
		},
		[
			{ name: "Sessions", description: "BEST sessions: list, read, request, terminate." },
			{ name: "Keys", description: "New keys for a session, and the key for its EAS." },
			{ name: "Commands", description: "What was asked of UEs, which sleep most of the time." },
			{ name: "Events", description: "Subscriptions to what happens to sessions and keys." },
		],
		{ operation: "Subscribe", tag: "Events", schema: EventNotification },
	);
}
