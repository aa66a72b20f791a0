import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type RequestOptions } from "node:http";
import { type AgentOptions, Agent as HttpsAgent, request as httpsRequest } from "node:https";

/** How long a destination may take to answer, in milliseconds. */
const PATIENCE = 10_000;
/** Of the body of an answer no more is read, in octets: what it says is of no interest. */
const MOST_READ = 65_536;
/** Answers that mean that a notification was taken (TS 29.122 5.2.5.2). */
const TAKEN: readonly (number | undefined)[] = [200, 204];

/** What webhooks are sent with: whom to believe, and who this is. PEM. */
export interface WebhookTls {
	readonly ca?: string | undefined;
	readonly cert?: string | undefined;
	readonly key?: string | undefined;
}

/** POSTs notifications. Redirections are not followed: they could lead where the application server may not send. */
export class Webhooks {
	private readonly http = new HttpAgent({ keepAlive: true, maxSockets: 64 });
	private readonly https: HttpsAgent;
	private readonly patience: number;
	private readonly underWay = new Set<ClientRequest>();

	/** @param patience how long a destination may take for its whole answer, in milliseconds */
	constructor(tls: WebhookTls = {}, patience = PATIENCE) {
		this.patience = patience;
		const options: AgentOptions = { keepAlive: true, maxSockets: 64, minVersion: "TLSv1.2" };
		if (tls.ca !== undefined) options.ca = tls.ca;
		if (tls.cert !== undefined) options.cert = tls.cert;
		if (tls.key !== undefined) options.key = tls.key;
		this.https = new HttpsAgent(options);
	}

	/** @returns whether it was taken. Never rejects */
	post(destination: string, body: string): Promise<boolean> {
		return new Promise((resolve) => {
			const options: RequestOptions = {
				method: "POST",
				timeout: this.patience,
				headers: { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) },
			};
			try {
				const isSecure = new URL(destination).protocol === "https:";
				const request = isSecure
					? httpsRequest(destination, { ...options, agent: this.https })
					: httpRequest(destination, { ...options, agent: this.http });
				// The time for all of it, not only for silence.
				const timer = setTimeout(() => request.destroy(), this.patience);
				request.on("response", (response) => {
					let read = 0;
					response.on("data", (part: Buffer) => {
						read += part.length;
						if (read > MOST_READ) request.destroy();
					});
					// It was answered already, however its body ends.
					response.on("error", () => {});
					response.on("close", () => clearTimeout(timer));
					resolve(TAKEN.includes(response.statusCode));
				});
				request.on("timeout", () => request.destroy());
				request.on("error", () => {
					clearTimeout(timer);
					resolve(false);
				});
				this.underWay.add(request);
				request.on("close", () => {
					this.underWay.delete(request);
					resolve(false);
				});
				request.end(body);
			} catch {
				resolve(false);
			}
		});
	}

	/** What is under way ends, as not taken. */
	close(): void {
		for (const request of this.underWay) request.destroy();
		this.http.destroy();
		this.https.destroy();
	}
}
