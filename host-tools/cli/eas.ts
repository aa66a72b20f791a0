import { readFileSync } from "node:fs";
import { EasServer } from "../eas/eas-server.js";
import { EasError } from "../eas/errors.js";
import type { EasEvent } from "../eas/events.js";
import { PskFile } from "../eas/psk-file.js";
import { AnswerScript } from "../eas/script.js";
import { sessionIdText } from "../hex.js";
import { EAS_PORT } from "../hse/configuration.js";
import { loadKernelFor } from "../kernel.js";
import { ALGORITHMS } from "../provision/provision.js";
import { Failure, UsageError } from "./errors.js";
import { type Command, numberOption, type Options, textOption } from "./options.js";
import { readTls, tlsFilesOf, tlsOptions } from "./tls.js";

/** Milliseconds that a reading may take to be posted. */
const POST_PATIENCE = 5000;

/** What a listening address that is none is told by. */
const NO_ADDRESS: readonly string[] = ["EADDRNOTAVAIL", "EINVAL", "ENOTFOUND", "EAI_AGAIN", "ENODATA"];

/** An event as an object of JSON: payloads in hex, and as text where they are UTF-8. */
function lineOf(event: EasEvent): Record<string, unknown> {
	const { kind, ...rest } = event;
	const fields: [string, unknown][] = Object.entries(rest).map(([name, value]) => {
		if (name === "sessionId") return [name, sessionIdText(Number(value))];
		return [name, value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value];
	});
	const line: Record<string, unknown> = { event: kind, ...Object.fromEntries(fields) };
	if (event.kind === "uplink") {
		const text = textOf(event.payload);
		if (text !== undefined) line.text = text;
	}
	return line;
}

function textOf(octets: Uint8Array): string | undefined {
	try {
		return new TextDecoder("utf-8", { fatal: true }).decode(octets);
	} catch {
		return undefined;
	}
}

function httpsUrl(options: Options, name: string, fallback: string): string {
	const text = textOption(options, name, fallback);
	if (!URL.canParse(text) || new URL(text).protocol !== "https:")
		throw new UsageError(`--${name} is "${text}": an URL that begins with https:// is allowed.`);
	return text;
}

async function post(url: string, line: Record<string, unknown>): Promise<void> {
	const headers = { "content-type": "application/json" };
	const signal = AbortSignal.timeout(POST_PATIENCE);
	const { ok, status } = await fetch(url, { method: "POST", headers, body: JSON.stringify(line), signal });
	if (!ok) throw new Error(`status ${status}`);
}

/** Why a POST failed: fetch hides what went wrong in the cause of its error. */
export function whyOf(error: Error): string {
	const cause = error.cause as NodeJS.ErrnoException | undefined;
	const hidden = cause?.code ?? cause?.message;
	return hidden === undefined ? error.message : `${error.message} (${hidden})`;
}

/** Opens what a person names in an option. @throws Failure */
function open<T>(options: Options, name: string, make: (path: string) => T): T | undefined {
	const path = options[name];
	if (typeof path !== "string") return undefined;
	try {
		return make(path);
	} catch (error) {
		const why = (error as NodeJS.ErrnoException).code;
		throw new Failure(`The file ${path} cannot be used (${why}): name another with --${name}.`);
	}
}

export const eas: Command = {
	name: "eas",
	summary: "run a test EAS: it registers with an HSE, takes readings in UE-to-EAS mode and answers them",
	options: {
		"eas-id": { value: "TEXT", help: "who it is; its certificate bears the same name (meter.demo)" },
		hse: { value: "URL", help: `the HSE's interface to EASs (https://127.0.0.1:${EAS_PORT})` },
		"hse-name": { value: "NAME", help: "the name in the HSE's certificate (hse)" },
		address: { value: "ADDRESS", help: "address to listen at (127.0.0.1)" },
		port: { value: "N", help: "TCP port to listen at (any free one)" },
		host: { value: "NAME", help: "under which the HSE reaches it (the address)" },
		...tlsOptions("meter.demo"),
		script: { value: "FILE", help: "answer each uplink with the next line, from the start again after the last" },
		post: { value: "URL", help: "POST each reading there as JSON, too" },
		"psk-file": { value: "FILE", help: "keep the K_EAS_PSKs there, as servers of TLS with pre-shared keys read them" },
	},
	example: "best eas --eas-id meter.demo --script best-answers.txt",
	async run(options) {
		const easId = textOption(options, "eas-id", "meter.demo");
		const hseUrl = httpsUrl(options, "hse", `https://127.0.0.1:${EAS_PORT}`);
		const postUrl = options.post;
		if (typeof postUrl === "string" && !URL.canParse(postUrl))
			throw new UsageError(`--post is "${postUrl}": an URL is allowed.`);
		const tls = readTls(tlsFilesOf(options), easId);
		const script = open(options, "script", (path) => new AnswerScript(readFileSync(path, "utf8")));
		const pskFile = open(options, "psk-file", (path) => new PskFile(path));
		const port = numberOption(options, "port", 0, 1, 65_535);
		const address = textOption(options, "address", "127.0.0.1");
		const host = options.host;
		const take = (event: EasEvent) => {
			const line = lineOf(event);
			console.log(JSON.stringify(line));
			if (event.kind === "session" && pskFile !== undefined) {
				const key = server.eas.easKey(event.sessionId);
				if (key !== undefined) pskFile.put(event.sessionId, event.keyId, key);
			} else if (event.kind === "session over") pskFile?.remove(event.sessionId);
			if (event.kind !== "uplink") return;
			if (typeof postUrl === "string")
				post(postUrl, line).catch((error) => console.error(`A reading was not posted: ${whyOf(error)}.`));
			const answer = script?.take();
			if (answer === undefined) return;
			try {
				server.send(event.sessionId, answer);
			} catch (error) {
				if (!(error instanceof EasError)) throw error;
				console.error(`No answer was sent: ${error.message}`);
			}
		};
		const server: EasServer = new EasServer({
			kernel: loadKernelFor(Object.values(ALGORITHMS)),
			easId,
			hseUrl,
			hseName: textOption(options, "hse-name", "hse"),
			tls,
			address,
			port,
			...(typeof host === "string" ? { host } : {}),
			onEvent: take,
			onRegistered: (isRegistered) =>
				console.log(JSON.stringify({ event: isRegistered ? "registered" : "not registered" })),
			onError: (error) => console.error(error.message),
		});
		try {
			const bound = await server.listen();
			console.log(JSON.stringify({ event: "listening", easId, port: bound }));
		} catch (error) {
			const why = (error as NodeJS.ErrnoException).code ?? "";
			if (NO_ADDRESS.includes(why))
				throw new Failure(`${address} is no address of this machine (${why}): choose another with --address.`);
			throw new Failure(`The port ${port} cannot be had (${why}): choose another with --port, or end what uses it.`);
		}
		await new Promise<void>((resolve) => {
			process.once("SIGINT", resolve);
			process.once("SIGTERM", resolve);
		});
		await server.close();
		return 0;
	},
};
