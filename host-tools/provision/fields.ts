/** What a person says about one device: options of a command, columns of a CSV file, or members of a JSON object. */
import { isIP } from "node:net";
import { encodeImsi } from "../../firmware/emsdp/imsi.js";
import { AGREEMENT, LONGEST_MESSAGE, MODE, UDP_PORT } from "../../firmware/emsdp/profile.js";
import type { Kernel } from "../../firmware/kernels/kernel.js";
import { AKA_ALGORITHM, sqnNumber } from "../../firmware/keys/aka.js";
import { deriveOpc } from "../../firmware/keys/milenage.js";
import { deriveTopc, type TuakParameters } from "../../firmware/keys/tuak.js";
import { UsageError } from "../cli/errors.js";
import { parseKeyFile, readHomeNetworkPublicKey } from "../hse/home-network-key.js";
import { type DeviceKeys, type DeviceOrder, isSharedKey, type SubscriptionOrder, type SuciKey } from "./order.js";
import { AGREEMENTS, ALGORITHMS, offerOf, SERVICES } from "./provision.js";

/** Fields by name, as text. */
export type Fields = Readonly<Record<string, string | undefined>>;

export const MODES = { hse: MODE.ueToHse, eas: MODE.ueToEas } as const;

const USIMS = { soft: 0, card: 1 } as const;
const AKA_ALGORITHMS = { milenage: AKA_ALGORITHM.milenage, tuak: AKA_ALGORITHM.tuak } as const;
const RES_OCTETS = { "64": 8, "32": 4, "128": 16 } as const;
const KEY_OCTETS = { "128": 16, "256": 32 } as const;

/** The fields of a device that may stand on a command line. */
export const DEVICE_FIELDS = {
	imsi: { value: "DIGITS", help: "6 to 15 digits" },
	"hse-address": { value: "ADDRESS", help: "numeric address of the HSE" },
	"hse-port": { value: "N", help: `UDP port of the HSE (${UDP_PORT})` },
	"eas-id": { value: "TEXT", help: "EAS Id, 1 to 64 octets of UTF-8" },
	service: { value: Object.keys(SERVICES).join("|"), help: "service asked for (confidential)" },
	mode: { value: Object.keys(MODES).join("|"), help: "where the protection ends (hse)" },
	agreement: { value: Object.keys(AGREEMENTS).join("|"), help: "key agreement offered (eps-aka)" },
	"largest-message": {
		value: "N",
		help: `octets that the device takes, 64 to ${LONGEST_MESSAGE} (${LONGEST_MESSAGE})`,
	},
	algorithms: {
		value: Object.keys(ALGORITHMS).join(","),
		help: "offered for ciphering and integrity, in any order (aes)",
	},
	usim: {
		value: "soft|card",
		help: "where AKA runs: in the device, or in its modem's card, whose keys it never has (soft)",
	},
	"aka-algorithm": { value: "milenage|tuak", help: "of the soft USIM and the authentication centre (milenage)" },
	"key-bits": { value: "128|256", help: "of a fresh K; 256 with TUAK only (128)" },
	"res-bits": { value: "32|64|128", help: "of RES, with TUAK (64)" },
	"keccak-iterations": { value: "N", help: "with TUAK: 1 to 255 (1)" },
	amf: { value: "HEX", help: "4 hex digits (8000: the separation bit, which EPS AKA needs)" },
	sqn: { value: "HEX", help: "12 hex digits: the highest SQN that the USIM takes for seen (0)" },
	"mnc-digits": { value: "2|3", help: "digits of the MNC in the IMSI (2)" },
	"psk-id": { value: "TEXT", help: "reference of a pre-shared key, 1 to 127 octets of UTF-8 (the IMSI)" },
	suci: { value: "null|ID=FILE", help: "name the UE by a SUCI: of the null scheme, or for a home network key (PEM)" },
} as const;

/** The fields that are secret: they come from a file, a prompt or standard input. */
export const SECRET_FIELDS = ["k", "opc", "op", "topc", "top", "psk"] as const;

/** A value for an error, but nothing that may be a key in the wrong column. */
export function shown(value: string): string {
	return /[0-9a-f]{16,}/i.test(value.replace(/\s/g, "")) || value.length > 40 ? "(not shown)" : `"${value}"`;
}

function wrong(name: string, value: string, allowed: string): UsageError {
	return new UsageError(`${name} is ${shown(value)}: ${allowed} are allowed.`);
}

function needed(fields: Fields, name: string): string {
	const value = fields[name];
	if (value === undefined || value === "") throw new UsageError(`${name} is missing.`);
	return value;
}

/** Hex digits of a field; the text of a secret one is never in an error. */
function hexField(fields: Fields, name: string, digits: number, fallback?: string): Uint8Array {
	const value = fields[name] || fallback || "";
	if (!new RegExp(`^[0-9a-f]{${digits}}$`, "i").test(value))
		throw new UsageError(`${name} must have ${digits} hex digits.`);
	return Uint8Array.from(Buffer.from(value, "hex"));
}

function numberField(fields: Fields, name: string, fallback: number, least: number, most: number): number {
	const value = fields[name] || String(fallback);
	const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
	if (!(number >= least && number <= most)) throw wrong(name, value, `whole numbers from ${least} to ${most}`);
	return number;
}

function choiceField<T extends number>(fields: Fields, name: string, choices: Readonly<Record<string, T>>): T {
	const value = fields[name] || Object.keys(choices)[0];
	if (!Object.hasOwn(choices, value)) throw wrong(name, value, Object.keys(choices).join(", "));
	return choices[value];
}

function textField(fields: Fields, name: string, most: number, fallback?: string): Uint8Array {
	const value = fields[name] || fallback || needed(fields, name);
	const octets = new TextEncoder().encode(value);
	if (octets.length > most) throw new UsageError(`${name} has ${octets.length} octets: 1 to ${most} are allowed.`);
	return octets;
}

/** @param octets of K that the algorithm takes */
function keyField(fields: Fields, isTuak: boolean): Uint8Array {
	const isLong = isTuak && fields.k?.length === 64;
	return hexField(fields, "k", isLong ? 64 : 32);
}

/** The keys among the fields, undefined where there are none. @param kernel derives OP_C from OP */
function keysOf(
	fields: Fields,
	imsi: string,
	tuak: TuakParameters | undefined,
	kernel: Kernel,
): DeviceKeys | undefined {
	const given = SECRET_FIELDS.filter((name) => fields[name]);
	if (fields.psk) {
		if (given.length > 1) throw new UsageError("psk stands alone: the other keys are of another kind of device.");
		return { reference: textField(fields, "psk-id", 127, imsi), key: hexField(fields, "psk", 64) };
	}
	if (!fields.k) {
		// TOP alone makes fresh keys of one operator.
		if (given.length > (fields.top ? 1 : 0)) throw new UsageError("k is missing.");
		return undefined;
	}
	const [operator, own] = tuak === undefined ? (["op", "opc"] as const) : (["top", "topc"] as const);
	const foreign = given.find((name) => name !== "k" && name !== operator && name !== own);
	if (foreign !== undefined)
		throw new UsageError(`${foreign} does not go with this algorithm: ${own} or ${operator} does.`);
	if (fields[operator] && fields[own]) throw new UsageError(`${operator} and ${own} are both there: one is allowed.`);
	const k = keyField(fields, tuak !== undefined);
	const digits = tuak === undefined ? 32 : 64;
	if (!fields[operator]) return { k, opc: hexField(fields, own, digits) };
	const op = hexField(fields, operator, digits);
	const opc = tuak === undefined ? deriveOpc(kernel, k, op) : deriveTopc(k, op, tuak.iterations);
	op.fill(0);
	return { k, opc };
}

function tuakOf(fields: Fields): TuakParameters | undefined {
	if (choiceField(fields, "aka-algorithm", AKA_ALGORITHMS) === AKA_ALGORITHM.tuak)
		return {
			resOctets: fields["res-bits"] ? choiceField(fields, "res-bits", RES_OCTETS) : RES_OCTETS["64"],
			iterations: numberField(fields, "keccak-iterations", 1, 1, 255),
		};
	const foreign = ["res-bits", "keccak-iterations", "top", "topc"].find((name) => fields[name]);
	if (foreign !== undefined) throw new UsageError(`--${foreign} goes with TUAK only: add --aka-algorithm tuak.`);
	if (fields["key-bits"] === "256")
		throw new UsageError("--key-bits is 256: MILENAGE takes 128; add --aka-algorithm tuak.");
	return undefined;
}

/** Words with commas between; in a column of CSV, spaces do as well. */
function algorithmsOf({ algorithms }: Fields): number[] {
	const words = (algorithms || "aes").split(/[\s,]+/);
	return words.map((word) => choiceField({ algorithms: word }, "algorithms", ALGORITHMS));
}

function suciOf({ suci }: Fields): SuciKey | undefined {
	if (!suci) return undefined;
	if (suci === "null") return "null";
	const { keyId, path } = parseKeyFile(suci);
	return { keyId, ...readHomeNetworkPublicKey(path) };
}

/** The part that the authentication centre knows. @throws UsageError that names the field and what it may be, never a secret */
export function subscriptionOf(fields: Fields, kernel: Kernel): SubscriptionOrder {
	const unknown = Object.keys(fields).find((name) => !KNOWN_FIELDS.has(name));
	if (unknown !== undefined)
		throw new UsageError(
			`There is no field ${shown(unknown)}; there are ${[...KNOWN_FIELDS].join(", ")}; in a batch also port and fingerprint.`,
		);
	const imsi = needed(fields, "imsi");
	if (encodeImsi(imsi) === undefined) throw wrong("imsi", imsi, "6 to 15 digits");
	const tuak = tuakOf(fields);
	return {
		imsi,
		keys: keysOf(fields, imsi, tuak, kernel),
		keyOctets: fields["key-bits"] ? choiceField(fields, "key-bits", KEY_OCTETS) : 16,
		top: fields.top ? hexField(fields, "top", 64) : undefined,
		tuak,
		amf: hexField(fields, "amf", 4, "8000"),
		sqn: sqnNumber(hexField(fields, "sqn", 12, "000000000000")),
	};
}

function isCard(fields: Fields, { keys }: SubscriptionOrder): boolean {
	if (choiceField(fields, "usim", USIMS) === USIMS.soft) return false;
	if (keys !== undefined && isSharedKey(keys)) throw new UsageError("A card has no pre-shared key: leave --usim out.");
	return true;
}

/** @throws UsageError that names the field and what it may be, never a secret */
export function orderOf(fields: Fields, kernel: Kernel): DeviceOrder {
	const subscription = subscriptionOf(fields, kernel);
	const hseAddress = needed(fields, "hse-address");
	if (isIP(hseAddress) === 0) throw wrong("hse-address", hseAddress, "numeric IPv4 and IPv6 addresses");
	const isShared = subscription.keys !== undefined && isSharedKey(subscription.keys);
	const agreement = isShared ? AGREEMENT.preShared : choiceField(fields, "agreement", AGREEMENTS);
	return {
		...subscription,
		hseAddress,
		hsePort: numberField(fields, "hse-port", UDP_PORT, 1, 65_535),
		easId: textField(fields, "eas-id", 64),
		offer: {
			...offerOf(agreement, choiceField(fields, "service", SERVICES), algorithmsOf(fields)),
			mode: choiceField(fields, "mode", MODES),
			largestMessage: numberField(fields, "largest-message", LONGEST_MESSAGE, 64, LONGEST_MESSAGE),
		},
		mncDigits: numberField(fields, "mnc-digits", 2, 2, 3) === 3 ? 3 : 2,
		suci: suciOf(fields),
		isCard: isCard(fields, subscription),
	};
}

const KNOWN_FIELDS: ReadonlySet<string> = new Set([...Object.keys(DEVICE_FIELDS), ...SECRET_FIELDS]);
