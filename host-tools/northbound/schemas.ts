import { z } from "zod";

/** Data types of TS 29.122 5.2.1 that both APIs use. */
export const Link = z
	.string()
	.max(2048)
	.regex(/^[!-~]*$/, "must be a URI, of visible ASCII characters")
	.describe("A URI (RFC 3986).");
/** PostgreSQL takes no text with a NUL, and no field needs a control character. */
export const Text = z.string().regex(/^\P{Cc}*$/u, "must have no control characters");
export const ExternalId = z
	.string()
	.max(254)
	.regex(/^[^@\s\p{Cc}]+@[^@\s\p{Cc}]+$/u, "must be a local identifier, @ and a domain identifier")
	.describe("External Identifier: local@domain (TS 23.682 4.6.2).");
export const Msisdn = z
	.string()
	.regex(/^\d{5,15}$/, "must be 5 to 15 digits")
	.describe("MSISDN (TS 23.003 3.3).");
export const DateTime = z.iso.datetime({ offset: true }).describe("RFC 3339 date and time.");
export const DurationSec = z.int().min(0).max(2_147_483_647).describe("Seconds.");
/** Octets in base64; at most as many as any EMSDP message has room for are taken further on. */
export const Bytes = z
	.string()
	.max(16_384)
	.regex(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, "must be base64")
	.describe("Octets in base64.");

export const WebsockNotifConfig = z
	.object({
		websocketUri: Link.optional().describe("Where to connect; made by the server, so not to be sent."),
		requestWebsocketUri: z.boolean().optional().describe("Whether a WebSocket is wanted."),
	})
	.meta({
		id: "WebsockNotifConfig",
		description: "Delivery of notifications over a WebSocket (TS 29.122 5.2.1.2.11).",
		examples: [{ requestWebsocketUri: true }],
	});

const InvalidParam = z
	.object({
		param: z.string().describe("A JSON pointer into the body, or `query name`, or `header Name`."),
		reason: z.string().describe("What it must be."),
	})
	.meta({
		id: "InvalidParam",
		description: "A parameter that is at fault (TS 29.122 5.2.1.2.13).",
		examples: [{ param: "/externalId", reason: "must be a local identifier, @ and a domain identifier" }],
	});

export const ProblemDetailsSchema = z
	.object({
		title: z.string().describe("The status in words."),
		status: z.int().describe("The status of the response."),
		detail: z.string().describe("One sentence for people: what was wrong, and what to do."),
		cause: z.string().optional().describe("For programs: upper-case words."),
		invalidParams: z.array(InvalidParam).min(1).optional().describe("With status 400: what is at fault, all of it."),
	})
	.meta({
		id: "ProblemDetails",
		description: "Why a request was refused (RFC 9457, TS 29.122 5.2.1.2.12).",
		examples: [
			{
				title: "Not Found",
				status: 404,
				detail: "There is no such session of this application server.",
				cause: "RESOURCE_NOT_FOUND",
			},
		],
	});

export function octetsOf(base64: string): Uint8Array {
	return Uint8Array.from(Buffer.from(base64, "base64"));
}

export function base64Of(octets: Uint8Array): string {
	return Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString("base64");
}

/** RFC 3339. @param time milliseconds since 1970 */
export function dateTimeOf(time: number): string {
	return new Date(time).toISOString();
}
