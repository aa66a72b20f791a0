/**
 * The documents of the interface between HSE and EAS (TS 33.163 Annex B, informative). From the specification: REST over
 * HTTPS with mutual TLS, XML, both ends client and server; an EAS Session Register is an HTTP POST with the EAS_Id, answered by
 * 201 Created with a session id; an EAS Session Request of the EAS names the UE and the key identifier and is answered by an
 * EAS Session Start with K_EAS_PSK (pull); one of the HSE brings K_EAS_PSK and is answered by an EAS Session Start (push).
 * Ours: every name of an element, the namespace, all fields beyond those, EAS Session End, and the paths.
 */
import { SaxesParser } from "saxes";
import {
	encodeHseConfiguration,
	isHseConfiguration,
	readHseConfiguration,
} from "../../firmware/emsdp/configuration.js";
import { fromHex, sessionIdText, toHex } from "../hex.js";
import type { EasKey } from "./eas-key.js";
import { EasError } from "./errors.js";
import type { KeyRequest } from "./events.js";

export const NAMESPACE = "urn:best-emsdp:eas:1";
export const XML_TYPE = "application/xml";
/** Where the HSE listens for EASs. An EAS that has registered goes on below it: /ID/requests, /ID/downlinks. */
export const HSE_PATH = "/best/v1/eas-sessions";
/** What follows the callback of an EAS and its session id. */
export const EAS_PATHS = { requests: "requests", uplinks: "uplinks", ends: "ends" } as const;
/** Octets of a document at the most. */
export const LONGEST_DOCUMENT = 4096;

const LONGEST_FIELD = 1024;
const KEY_OCTETS = 32;

/** The documents: their fields, those that may be missing marked by "?". */
const DOCUMENTS = {
	EAS_Session_Register: ["EAS_Id", "Callback"],
	EAS_Session_Registered: ["EAS_Session_Id", "Expires_In"],
	EAS_Session_Request: ["UE_Id?", "Session_Id", "Key_Id", ...keyFields("?")],
	EAS_Session_Start: ["UE_Id?", "Session_Id", "Key_Id", "Cause?", ...keyFields("?")],
	EAS_Session_End: ["Session_Id", "Cause"],
} as const satisfies Record<string, readonly string[]>;

function keyFields<T extends string>(mark: T) {
	const names = ["EAS_PSK", "Configuration", "Largest_Message", "Uplink_Count", "Downlink_Count", "Expires_In"];
	return names.map((name) => `${name}${mark}`);
}

export type DocumentName = keyof typeof DOCUMENTS;

/** A document: a name and texts by field. */
export interface Document {
	readonly name: DocumentName;
	readonly fields: Readonly<Record<string, string>>;
}

const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;" };
/** What XML 1.0 cannot carry: control characters, halves of surrogates, U+FFFE and U+FFFF. */
const NOT_XML = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u;

/** @throws EasError `document` where a text has a character that XML does not */
export function encodeDocument({ name, fields }: Document): string {
	const elements = Object.entries(fields).map(([field, text]) => {
		if (NOT_XML.test(text)) throw new EasError("document", `${field} has a character that XML cannot carry.`);
		return `<${field}>${text.replace(/[&<>\r]/g, (character) => ESCAPES[character])}</${field}>`;
	});
	return `<?xml version="1.0" encoding="UTF-8"?>\n<${name} xmlns="${NAMESPACE}">${elements.join("")}</${name}>\n`;
}

/**
 * Decodes a document strictly: one root of the namespace, its fields once each and of text only. No document type, so no
 * entities beyond those of XML; no attributes, comments or instructions.
 * @throws EasError `document`, and nothing else, whatever the octets
 */
export function decodeDocument(octets: Uint8Array): Document {
	if (octets.length > LONGEST_DOCUMENT)
		throw new EasError("document", `The document has more than ${LONGEST_DOCUMENT} octets.`);
	let text: string;
	try {
		text = new TextDecoder("utf-8", { fatal: true }).decode(octets);
	} catch {
		throw new EasError("document", "The document is not UTF-8.");
	}
	const refuse = (what: string) => {
		throw new EasError("document", `The document ${what}.`);
	};
	let root: string | undefined;
	let field: string | undefined;
	const fields: Record<string, string> = Object.create(null);
	const parser = new SaxesParser({ xmlns: true });
	parser.on("error", () => refuse("is not well-formed XML"));
	parser.on("doctype", () => refuse("has a document type, which is not allowed"));
	parser.on("processinginstruction", () => refuse("has a processing instruction, which is not allowed"));
	parser.on("comment", () => refuse("has a comment, which is not allowed"));
	parser.on("xmldecl", ({ encoding }) => {
		if (encoding !== undefined && encoding.toUpperCase() !== "UTF-8") refuse("is not in UTF-8");
	});
	parser.on("opentag", ({ local, uri, attributes }) => {
		if (uri !== NAMESPACE) refuse(`has an element that is not of ${NAMESPACE}`);
		if (Object.keys(attributes).some((name) => name !== "xmlns" && !name.startsWith("xmlns:")))
			refuse("has an attribute, which is not allowed");
		if (root === undefined) root = local;
		else if (field !== undefined) refuse("has an element within a field");
		else if (local in fields) refuse("has a field twice");
		else {
			field = local;
			fields[field] = "";
		}
	});
	const take = (characters: string) => {
		if (field === undefined) {
			if (characters.trim() !== "") refuse("has text outside its fields");
			return;
		}
		fields[field] += characters;
		if (fields[field].length > LONGEST_FIELD) refuse("has a field that is too long");
	};
	parser.on("text", take);
	parser.on("cdata", take);
	parser.on("closetag", () => {
		field = undefined;
	});
	try {
		parser.write(text).close();
	} catch (error) {
		throw error instanceof EasError ? error : new EasError("document", "The document is not well-formed XML.");
	}
	const rows: readonly string[] | undefined = Object.hasOwn(DOCUMENTS, root ?? "")
		? DOCUMENTS[root as DocumentName]
		: undefined;
	if (rows === undefined) throw new EasError("document", "There is no such document on this interface.");
	const allowed = rows.map((row) => row.replace("?", ""));
	for (const name of Object.keys(fields))
		if (!allowed.includes(name)) throw new EasError("document", "The document has a field that it does not take.");
	for (const row of rows)
		if (!row.endsWith("?") && !(row in fields)) throw new EasError("document", `The document lacks ${row}.`);
	return { name: root as unknown as DocumentName, fields: { ...fields } };
}

/** Decodes a document that must be of one name. @throws EasError `document` */
export function decodeNamed(octets: Uint8Array, name: DocumentName): Document["fields"] {
	const document = decodeDocument(octets);
	if (document.name !== name) throw new EasError("document", `The document is not an ${name}.`);
	return document.fields;
}

/** A registration of an EAS. */
export interface Registration {
	readonly easId: string;
	/** Where the EAS listens: an URL of HTTPS without query and fragment. */
	readonly callback: string;
}

export function encodeRegistration({ easId, callback }: Registration): string {
	return encodeDocument({ name: "EAS_Session_Register", fields: { EAS_Id: easId, Callback: callback } });
}

/** @throws EasError `document` */
export function decodeRegistration(octets: Uint8Array): Registration {
	const { EAS_Id: easId, Callback } = decodeNamed(octets, "EAS_Session_Register");
	const size = new TextEncoder().encode(easId).length;
	if (size < 1 || size > 64) throw new EasError("document", "EAS_Id must have 1 to 64 octets.");
	const url = URL.canParse(Callback) ? new URL(Callback) : undefined;
	if (url?.protocol !== "https:" || url.search !== "" || url.hash !== "" || url.username !== "")
		throw new EasError("document", "Callback must be an URL of HTTPS without user, query and fragment.");
	return { easId, callback: url.href };
}

/** What the HSE answers to a registration. */
export interface Registered {
	readonly easSessionId: string;
	/** Seconds after which the EAS must have registered again. */
	readonly expiresIn: number;
}

export function encodeRegistered({ easSessionId, expiresIn }: Registered): string {
	const fields = { EAS_Session_Id: easSessionId, Expires_In: String(expiresIn) };
	return encodeDocument({ name: "EAS_Session_Registered", fields });
}

/** @throws EasError `document` */
export function decodeRegistered(octets: Uint8Array): Registered {
	const fields = decodeNamed(octets, "EAS_Session_Registered");
	if (!/^[\w-]{1,64}$/.test(fields.EAS_Session_Id)) throw new EasError("document", "EAS_Session_Id is no such id.");
	return { easSessionId: fields.EAS_Session_Id, expiresIn: number(fields, "Expires_In", 1, 86_400) };
}

/** A pull: the EAS asks for a key. */
export interface NamedKey extends KeyRequest {
	/** Undefined where the EAS knows the UE by a message only. */
	readonly ueId: string | undefined;
}

export function encodeKeyRequest({ ueId, sessionId, keyId }: NamedKey): string {
	const fields = { ...(ueId === undefined ? {} : { UE_Id: ueId }), ...keyName(sessionId, keyId) };
	return encodeDocument({ name: "EAS_Session_Request", fields });
}

/** @throws EasError `document` */
export function decodeKeyRequest(octets: Uint8Array): NamedKey {
	return readKeyName(decodeNamed(octets, "EAS_Session_Request"));
}

/** A key on its way: the EAS Session Request of a push, or the EAS Session Start of a pull. */
export function encodeKey(name: "EAS_Session_Request" | "EAS_Session_Start", given: EasKey): string {
	const fields = {
		UE_Id: given.ueId,
		...keyName(given.sessionId, given.configuration.keyId),
		EAS_PSK: toHex(given.key),
		Configuration: toHex(encodeHseConfiguration(given.configuration)),
		Largest_Message: String(given.largestMessage),
		Uplink_Count: String(given.uplinkCount),
		Downlink_Count: String(given.downlinkCount),
		Expires_In: String(given.expiresIn),
	};
	return encodeDocument({ name, fields });
}

/** @throws EasError `document` */
export function decodeKey(fields: Document["fields"]): EasKey {
	const { sessionId, keyId, ueId } = readKeyName(fields);
	if (ueId === undefined) throw new EasError("document", "The document lacks UE_Id.");
	const tag = octetsOf(fields, "Configuration", 14);
	if (!isHseConfiguration(tag, 0)) throw new EasError("document", "Configuration is no value of tag 10.");
	const configuration = readHseConfiguration(tag, 0);
	if (configuration.keyId !== keyId) throw new EasError("document", "Configuration is that of another Key ID.");
	return {
		ueId,
		sessionId,
		key: octetsOf(fields, "EAS_PSK", KEY_OCTETS),
		configuration,
		largestMessage: number(fields, "Largest_Message", 0, 0xffff),
		uplinkCount: number(fields, "Uplink_Count", 0, 0xffffffff),
		downlinkCount: number(fields, "Downlink_Count", 0, 0xffffffff),
		expiresIn: number(fields, "Expires_In", 0, 0xffffffff),
	};
}

/** What an EAS says of a key that was pushed, or the HSE of one that it does not give: a cause of tag 18, 0 for good. */
export function encodeStart({ sessionId, keyId }: KeyRequest, cause: number): string {
	const fields = { ...keyName(sessionId, keyId), ...(cause === 0 ? {} : { Cause: String(cause) }) };
	return encodeDocument({ name: "EAS_Session_Start", fields });
}

/** The cause of an EAS Session Start, 0 where there is none. @throws EasError `document` */
export function causeOf(fields: Document["fields"]): number {
	return fields.Cause === undefined ? 0 : number(fields, "Cause", 1, 255);
}

export function encodeEnd(sessionId: number, cause: number): string {
	const fields = { Session_Id: sessionIdText(sessionId), Cause: String(cause) };
	return encodeDocument({ name: "EAS_Session_End", fields });
}

/** @throws EasError `document` */
export function readEnd(fields: Document["fields"]): { readonly sessionId: number; readonly cause: number } {
	return { sessionId: sessionIdOf(fields), cause: number(fields, "Cause", 1, 255) };
}

function keyName(sessionId: number, keyId: number) {
	return { Session_Id: sessionIdText(sessionId), Key_Id: String(keyId) };
}

function readKeyName(fields: Document["fields"]): NamedKey {
	return { ueId: fields.UE_Id, sessionId: sessionIdOf(fields), keyId: number(fields, "Key_Id", 1, 7) };
}

function sessionIdOf({ Session_Id }: Document["fields"]): number {
	if (!/^[0-9a-f]{8}$/.test(Session_Id)) throw new EasError("document", "Session_Id must be 8 hexadecimal digits.");
	return Number.parseInt(Session_Id, 16);
}

function number(fields: Document["fields"], name: string, least: number, most: number): number {
	const text = fields[name] ?? "";
	const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
	if (!(value >= least && value <= most))
		throw new EasError("document", `${name} must be a whole number from ${least} to ${most}.`);
	return value;
}

/** The text is never repeated in an error: it may be a key. */
function octetsOf(fields: Document["fields"], name: string, length: number): Uint8Array {
	const text = fields[name] ?? "";
	if (text.length !== 2 * length || !/^[0-9a-f]*$/.test(text))
		throw new EasError("document", `${name} must be ${2 * length} hexadecimal digits.`);
	return fromHex(text);
}
