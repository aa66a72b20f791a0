/** An application server (SCS/AS) that may use the northbound API. */
export interface ApplicationServer {
	/** The scsAsId of its paths; also its OAuth 2 client identifier. */
	readonly id: string;
	/** DNS names of its client certificates (subjectAltName). */
	readonly certificateNames: readonly string[];
	/** SHA-256 of its OAuth 2 client secret at the local issuer, 64 hex digits. */
	readonly clientSecretSha256?: string | undefined;
	/** Origins that notifications may go to, such as `https://as.example:9443`; `*` for any. */
	readonly notificationOrigins: readonly string[];
	/** Requests a second, and at once. */
	readonly rate: { readonly perSecond: number; readonly burst: number };
}

/** Whether an application server may have notifications sent to a URI. */
export function mayNotify({ notificationOrigins }: ApplicationServer, destination: string): boolean {
	let url: URL;
	try {
		url = new URL(destination);
	} catch {
		return false;
	}
	if (url.protocol !== "https:" && url.protocol !== "http:") return false;
	if (url.username !== "" || url.password !== "") return false;
	return notificationOrigins.includes("*") || notificationOrigins.includes(url.origin);
}
