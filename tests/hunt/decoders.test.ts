/** Every decoder of octets from outside, or from a store: what it takes comes back as it was, in a time that grows with the length and no faster. */
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { ClientError } from "../../firmware/client/errors.js";
import { decodeIdentity, encodeIdentity } from "../../firmware/client/identity.js";
import { packSession, unpackSession } from "../../firmware/client/packed-session.js";
import {
	encodeHseConfiguration,
	encodeUeConfiguration,
	isHseConfiguration,
	isUeConfiguration,
	readHseConfiguration,
	readUeConfiguration,
} from "../../firmware/emsdp/configuration.js";
import { checkContents } from "../../firmware/emsdp/contents.js";
import { encodeCounters, readCounters } from "../../firmware/emsdp/counters.js";
import { EmsdpError } from "../../firmware/emsdp/errors.js";
import { Header, writeHeader } from "../../firmware/emsdp/header.js";
import { decodeImsi, encodeImsi } from "../../firmware/emsdp/imsi.js";
import { decodeMessage, encodeMessage } from "../../firmware/emsdp/message.js";
import { isUtf8 } from "../../firmware/emsdp/octets.js";
import { CONTENTS, TAG } from "../../firmware/emsdp/profile.js";
import { screen } from "../../firmware/emsdp/screening.js";
import { isServingNetwork } from "../../firmware/emsdp/serving-network.js";
import { TlvScan, writeTlv } from "../../firmware/emsdp/tlv.js";
import { sqnNumber, sqnOctets } from "../../firmware/keys/aka.js";
import { AcceptedSqns } from "../../firmware/keys/sqn.js";
import { fromHex, toHex } from "../../host-tools/hex.js";
import { octets, seeded } from "../emsdp/arbitraries.js";
import { GOOD_VALUES } from "../emsdp/good-values.js";
import { TIMES } from "./times.js";

interface Decoder {
	readonly name: string;
	/** Octets that it takes. */
	readonly good: readonly Uint8Array[];
	/** The value encoded again, undefined where it was refused. Throws the one error class at the most. */
	readonly again: (octets: Uint8Array) => Uint8Array | undefined;
	/** What stands for the octets, where they say something twice or something that is ignored. */
	readonly canonical?: (octets: Uint8Array) => Uint8Array;
}

const good = (tag: number) => fromHex(GOOD_VALUES[tag]);

/** Runs a decoder whose refusal is an error of one class. */
function orRefuse<T>(kind: new (...words: never[]) => Error, decode: () => T): T | undefined {
	try {
		return decode();
	} catch (error) {
		if (error instanceof kind) return undefined;
		throw error;
	}
}

function countersOf(given: Uint8Array): Uint8Array | undefined {
	const run = new Uint8Array(given.length + 2);
	if (given.length > 255) return undefined;
	writeTlv(run, 0, TAG.counters, given);
	const tlvs = new TlvScan();
	tlvs.scan(run, 0, run.length);
	if (given.length !== 12) return undefined;
	const counters = readCounters(tlvs, given[11] & 7, -1);
	return counters && encodeCounters(counters);
}

const RECORD = packSession({
	sessionId: 0x12345678,
	configuration: readHseConfiguration(good(TAG.hseConfiguration), 0),
	controlNext: 64,
	userNext: 128,
	baseKey: new Uint8Array(32).fill(7),
});
const IDENTITY = encodeIdentity({
	imsi: good(TAG.imsi),
	algorithm: 1,
	credentials: new Uint8Array(32).fill(1),
	sqnMs: sqnOctets(32),
	hseAddress: "127.0.0.1",
	hsePort: 33163,
	offer: readUeConfiguration(good(TAG.ueConfiguration), 0),
	easId: good(TAG.easId),
	servingNetwork: good(TAG.servingNetwork),
	concealment: new Uint8Array(0),
});
const MESSAGES = [
	"01000000000010010809101010325476980308120305043701 04d00404656173 31".replaceAll(" ", ""),
	"0188123456780102030405",
	"0108123456782018 0113".replaceAll(" ", ""),
].map(fromHex);

const DECODERS: readonly Decoder[] = [
	{
		name: "header",
		good: MESSAGES,
		again: (given) => {
			const header = new Header();
			if (!header.read(given, given.length)) return undefined;
			const octets = new Uint8Array(6);
			writeHeader(octets, header.userPlane, header.keyId, header.sessionId, header.countBits, 0);
			return octets;
		},
		canonical: (given) => given.slice(0, 6),
	},
	...[true, false].map((fromUe) => ({
		name: `message ${fromUe ? "from" : "to"} the UE`,
		good: MESSAGES,
		again: (given: Uint8Array) => {
			const message = orRefuse(EmsdpError, () => decodeMessage(given, fromUe));
			return message && encodeMessage(message);
		},
		// TLVs in ascending order, without those that are ignored.
		canonical: (given: Uint8Array) => encodeMessage(decodeMessage(given, fromUe)),
	})),
	{
		name: "IMSI",
		good: [good(TAG.imsi)],
		again: (given) => {
			const digits = decodeImsi(given);
			return digits === undefined ? undefined : encodeImsi(digits);
		},
	},
	{
		name: "UE configuration",
		good: [good(TAG.ueConfiguration)],
		again: (given) =>
			given.length === 8 && isUeConfiguration(given, 0)
				? encodeUeConfiguration(readUeConfiguration(given, 0))
				: undefined,
		// Bits without a meaning are ignored (profile section 3).
		canonical: (given) => encodeUeConfiguration(readUeConfiguration(given, 0)),
	},
	{
		name: "HSE configuration",
		good: [good(TAG.hseConfiguration)],
		again: (given) =>
			given.length === 14 && isHseConfiguration(given, 0)
				? encodeHseConfiguration(readHseConfiguration(given, 0))
				: undefined,
	},
	{ name: "counters", good: [good(TAG.counters)], again: countersOf },
	{
		name: "record of a session",
		good: [RECORD],
		again: (given) => {
			const session = unpackSession(given);
			return session && packSession(session);
		},
	},
	{
		name: "identity of a device",
		good: [IDENTITY],
		again: (given) => {
			const identity = orRefuse(ClientError, () => decodeIdentity(given));
			return identity && encodeIdentity(identity);
		},
		canonical: (given) => encodeIdentity(decodeIdentity(given)),
	},
	{
		name: "SQNs that a USIM has accepted",
		good: [new AcceptedSqns(9000).encode()],
		again: (given) => AcceptedSqns.decode(given)?.encode(),
	},
	{
		name: "SQN",
		good: [sqnOctets(12_345_678)],
		again: (given) => (given.length === 6 ? sqnOctets(sqnNumber(given)) : undefined),
	},
];

/** Good octets with up to three of them changed, or cut off, or any octets. */
function near(list: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
	const changed = fc
		.tuple(fc.constantFrom(...list), fc.array(fc.tuple(fc.nat(2000), fc.nat(255)), { maxLength: 3 }), fc.nat(4000))
		.map(([from, changes, cut]) => {
			const copy = from.slice(0, cut > 3000 ? cut % (from.length + 1) : from.length);
			for (const [at, octet] of changes) if (copy.length > 0) copy[at % copy.length] = octet;
			return copy;
		});
	return fc.oneof(changed, octets(0, 80), octets(0, 1300));
}

describe.each(DECODERS.map((decoder) => [decoder.name, decoder] as const))("%s", (_name, decoder) => {
	test("what is taken comes back as it was; what is not is refused in the one way", () => {
		expect(decoder.good.map((each) => decoder.again(each)).some((again) => again !== undefined)).toBe(true);
		fc.assert(
			fc.property(near(decoder.good), (given) => {
				const before = given.slice();
				const again = decoder.again(given);
				expect(given).toEqual(before);
				if (again === undefined) return;
				expect(toHex(again)).toBe(toHex((decoder.canonical ?? ((same) => same))(given)));
				// And what was written is taken, and means the same.
				expect(toHex(decoder.again(again) ?? new Uint8Array(0))).toBe(toHex(again));
			}),
			seeded(2000 * TIMES),
		);
	});
});

/** Octets that count how often they are read. */
function counting(from: Uint8Array): { octets: Uint8Array; reads: () => number } {
	let reads = 0;
	const octets = new Proxy(from, {
		get(target, property) {
			const value = Reflect.get(target, property, target);
			if (typeof property === "string" && /^\d+$/.test(property)) reads++;
			else if (typeof value === "function")
				return (...words: unknown[]) => {
					reads += target.length;
					return value.apply(target, words);
				};
			return value;
		},
	});
	return { octets, reads: () => reads };
}

/** Octets that make a decoder work as long as it can. */
const LONG: Readonly<Record<string, (length: number) => Uint8Array>> = {
	zero: (length) => new Uint8Array(length),
	ones: (length) => new Uint8Array(length).fill(0xff),
	"empty TLVs, each tag once": (length) => Uint8Array.from({ length }, (_, i) => ((i & 1) === 0 ? (i >> 1) & 0xff : 0)),
	"one long TLV": (length) => Uint8Array.of(0x90, 250, ...new Uint8Array(Math.max(0, length - 2))),
	"UTF-8 of four octets": (length) => Uint8Array.from({ length }, (_, i) => [0xf0, 0x9f, 0x94, 0x8b][i & 3]),
};
/** Octets looked at for each octet given, and whatever the length. */
const READS_PER_OCTET = 12;
const READS_AT_ALL = 300;

describe("no input takes longer than its length allows: octets looked at", () => {
	const work: Readonly<Record<string, (octets: Uint8Array, length: number) => void>> = {
		screen: (given, length) => void screen(new Header(), given, length, true),
		"TLVs and contents": (given, length) => {
			const tlvs = new TlvScan();
			if (tlvs.scan(given, 0, length) !== 0) return;
			for (const row of Object.values(CONTENTS)) checkContents(tlvs, row);
		},
		"UTF-8": (given, length) => void isUtf8(given, 0, length),
		"serving network": (given, length) => void isServingNetwork(given, 0, length),
		"session record": (given) => void unpackSession(given),
		identity: (given) => void orRefuse(ClientError, () => decodeIdentity(given)),
		SQNs: (given) => void AcceptedSqns.decode(given),
	};

	test.each(Object.keys(work))("%s", (name) => {
		for (const make of Object.values(LONG))
			for (const head of [new Uint8Array(0), ...MESSAGES, RECORD, IDENTITY])
				for (const length of [10, 100, 500, 1000, 1232, 5000]) {
					const given = Uint8Array.of(...head, ...make(length));
					const { octets: watched, reads } = counting(given);
					work[name](watched, given.length);
					expect(reads()).toBeLessThanOrEqual(READS_AT_ALL + READS_PER_OCTET * given.length);
				}
	});
});
