import { z } from "zod";

/** Data types of TS 29.122 5.2.1 that both APIs use. */
export const Link = z.string().max(2048).describe("A URI (RFC 3986).");
export const ExternalId = z
	.string()
	.max(254)
	.regex(/^[^@\s]+@[^@\s]+$/, "must be a local identifier, @ and a domain identifier")
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
	.object({ websocketUri: Link.optional(), requestWebsocketUri: z.boolean().optional() })
	.describe("Delivery of notifications over a WebSocket.");

export const ProblemDetailsSchema = z
	.object({
		title: z.string(),
		status: z.int(),
		detail: z.string(),
		cause: z.string().optional().describe("For programs."),
		invalidParams: z
			.array(z.object({ param: z.string(), reason: z.string() }))
			.min(1)
			.optional(),
	})
	.describe("RFC 9457, TS 29.122 5.2.1.2.12.");

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
