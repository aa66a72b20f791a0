import type { Mark } from "../../firmware/emsdp/profile.js";

/** What a clause asks for, and the tests that show it. */
export interface Requirement {
	/** Of EMSDP wire profile 1; a number, and a letter where a clause asks for more than one thing. */
	readonly clause: string;
	readonly requirement: string;
	/** Who fixes it: S TS 33.163, G another standard, P this profile. */
	readonly marks: readonly Mark[];
	/** `file > part of a title`, the file below tests/ and without its ending. None: it is not shown yet. */
	readonly tests: readonly string[];
	/** What is not shown or not built, where that is so. */
	readonly open?: string;
}

const VECTORS = "vectors > every case passes";
const CUTS = "hunt/power-cuts > at every output and in every write: both ends come together again";
const RANDOM = "hunt/suite > everything arrives once at most, and both ends agree in the end";

function row(clause: string, marks: string, requirement: string, tests: readonly string[], open?: string): Requirement {
	const list = [...marks] as Mark[];
	return { clause, requirement, marks: list, tests, ...(open === undefined ? {} : { open }) };
}

export const REQUIREMENTS: readonly Requirement[] = [
	// 1 and 2: conventions, message
	row("1", "P", "a message is at most 1,232 octets", [
		"emsdp/screening > 7 to 1,232 octets without a Key ID",
		"scenarios/data > one that is too long is refused with its bound",
	]),
	row("2a", "SP", "octet 0 is EMSDP type 01", ["emsdp/header > type %d is refused"]),
	row("2b", "S", "a receiver refuses the RFU bit", ["emsdp/header > the RFU bit is refused whatever stands beside it"]),
	row("2c", "SP", "plane in b8, Key ID in b6–b4, COUNT bits 2..0 in b3–b1", [
		"emsdp/header > plane in b8, Key ID in b6 to b4",
	]),
	row("2d", "SP", "Session ID of 32 bits, 0 in a first Session Request", [
		"emsdp/header > a first Session Request: type 01, all flags 0, Session ID 0",
	]),
	row("2e", "SP", "counter schemes carry 3, 11 and 19 bits of COUNT, big-endian", [
		"emsdp/header > counter schemes 0, 1 and 2 carry 3, 11 and 19 bits of COUNT",
	]),
	row("2f", "P", "a UP message costs 10, 11 or 12 octets with M = 4", [
		"emsdp/security-context > 10, 11 or 12 octets more with M = 4",
	]),
	row("2g", "P", "M = 8 goes with integrity algorithm 2 only", [
		"emsdp/configuration > M = 8 goes with integrity algorithm 2 only",
		"scenarios/algorithms > M = 8 needs AES integrity",
	]),
	row("2h", "P", "Key ID and Session ID that do not go together are dropped", [
		"emsdp/screening > Key ID and Session ID that go together",
	]),
	row("2i", "P", "with Key ID 0 the counter bits are not looked at", [
		"emsdp/screening > counter bits of an unprotected message are not looked at",
	]),
	// 2.1 COUNT
	row("2.1a", "S", "COUNT is separate for each key, plane and direction", [
		"emsdp/security-context > COUNT, plane and direction change it",
		"scenarios/refresh > COUNTs begin anew under the next Key ID",
	]),
	row("2.1b", "P", "no COUNT protects two messages, whatever happens to the power supply", [CUTS, RANDOM]),
	row("2.1c", "P", "nothing is sent past COUNT 0xFFFFFFFE", [
		"scenarios/data > no COUNT is used past the last one",
		"emsdp/security-context > COUNT ends at 0xFFFFFFFE",
	]),
	row("2.1d", "P", "a sender asks for new keys at rekeyAt", [
		"scenarios/refresh > to the HSE: the UE asks for new keys by itself",
		"scenarios/refresh > to the UE: the HSE offers new keys by itself",
	]),
	row("2.1e", "P", "3 bits: candidates 8 apart, 8 trials at the HSE and 4 at the UE; no reordering", [
		"emsdp/count > lost messages are bridged, candidates 8 apart and rising",
		"emsdp/security-context > the HSE tries 8 COUNTs of 3 bits, the UE 4",
	]),
	row("2.1f", "P", "11 and 19 bits: one candidate, a window of 64; a replay is told before any MAC is computed", [
		"emsdp/count > a replay within the window is found before any MAC is computed",
		"scenarios/data > counter scheme 1: reordering is taken",
	]),
	row("2.1g", "P", "state moves only after the MAC has been verified", [
		"emsdp/count > a forged message moves nothing",
		"hunt/mutations > neither throws, nor changes what only the other end may change",
	]),
	row("2.1h", "P", "a repeated CP request gets the cached answer, eight times at most, and moves no address", [
		"emsdp/cached-answer > the answer goes out again 8 times, then never",
		"scenarios/termination > the cached 21 goes out eight times and for 120 s",
	]),
	row("2.1i", "P", "11 of a new session has COUNT 0, and the UE tries no other", [VECTORS]),
	row("2.1j", "P", "a resume message carries its whole COUNT, which alone is tried", [
		"scenarios/resume > every bit of both messages counts",
		"scenarios/resume > an old request is of no use to anybody",
	]),
	// 2.2 Protection
	row("2.2a", "G", "128-EEA2 and 128-EIA2 with COUNT, BEARER and DIRECTION as inputs", [
		"kernels/kernels > $name",
		VECTORS,
	]),
	row("2.2b", "G", "128-EEA1, EIA1, EEA3 and EIA3 beside them", [
		"algorithms/algorithms > published vectors",
		"scenarios/algorithms > a whole session",
	]),
	row(
		"2.2c",
		"P",
		"ciphering covers the UP payload, and in CP what follows the command octet; 10, 11 and 80 are in clear",
		["emsdp/security-context > what is enciphered"],
	),
	row("2.2d", "P", "the MAC covers every octet before it, after ciphering; M = 8 is more of the same CMAC", [
		"emsdp/security-context > every single-bit error is refused",
		"emsdp/security-context > a MAC of 8 octets begins with the MAC of 4",
	]),
	row("2.2e", "SP", "UP uses the keys of its mode, CP always those between UE and HSE", [
		"emsdp/security-context > UP of one mode under the keys of the other",
	]),
	row("2.2f", "P", "null integrity is refused; encryption is null but in the confidential service", [
		"emsdp/configuration > encryption is never null in the confidential service",
		"scenarios/algorithms > nor null integrity",
	]),
	row("2.2g", "S", "in UE-to-EAS mode the HSE forwards UP unmodified", [
		VECTORS,
		"scenarios/eas > data both ways, unmodified through the HSE",
	]),
	row("2.2h", "P", "the HSE checks MAC and COUNT of UP messages both ways before it forwards them", [
		"scenarios/eas > a replayed or forged uplink goes to no EAS",
		"scenarios/eas > a replayed or forged downlink, or one that is no UP message, goes to no UE",
	]),
	row("2.2i", "P", "in the key-agreement-only service UP messages are dropped", [
		"scenarios/eas > key agreement only: the application has K_EAS_PSK at both ends, and UP messages are dropped",
	]),
	// 3 TLVs
	row("3a", "SP", "every TLV has its length and values", [
		"emsdp/contents > has a TLV that is one octet too short or too long: cause 01",
		"emsdp/configuration > every field is where the table says",
	]),
	row("3b", "P", "a TLV appears once; order is free for a receiver", [
		"emsdp/contents > has a TLV twice: cause 01",
		"emsdp/contents > is taken, in whatever order its TLVs come",
	]),
	row("3c", "P", "unknown tags from 80 on are ignored, lower ones and known ones that do not belong refused", [
		"emsdp/contents > has an unknown TLV: below 80 cause 02, from 80 on ignored",
		"emsdp/contents > has a known TLV that is not listed for it: cause 02",
	]),
	row("3d", "P", "faults are looked for in order: structure, tags, values, missing tags", [
		"emsdp/contents > order of faults (section 3)",
	]),
	row("3e", "G", "IMSI as EF_IMSI", ["emsdp/imsi > the coding of TS 31.102 4.2.2"]),
	row("3f", "G", "serving network as PLMN or name", ["emsdp/serving-network > a PLMN of two and of three MNC digits"]),
	row("3g", "P", "any octets give a value or the one error class, in linear time, and come back as they were", [
		"hunt/decoders > what is taken comes back as it was; what is not is refused in the one way",
		"hunt/decoders > no input takes longer than its length allows",
		"hunt/mutations > changed messages: a message or the one error class",
	]),
	row("3h", "SG", "the SUCI with the null scheme and profiles A and B", [
		"scenarios/suci > a new session, data both ways, new keys by AKA, a resume after a power cut",
		"keys/suci > any octets give an IMSI or one of two causes",
	]),
	// 4 Commands
	row("4a", "S", "command codes and who sends them", [
		"emsdp/profile > codes, senders, ciphering and Key ID 0 are those of section 4",
	]),
	row("4b", "P", "each command carries the TLVs listed for it", [
		"emsdp/contents > lacks each TLV it must have: cause 02",
	]),
	row("4c", "S", "the serving network is there for the confidential service and for 5G authentication", [VECTORS]),
	row("4d", "P", "the HSE grants the service asked for or refuses, and chooses nothing that was not offered", [
		"scenarios/new-session > the HSE takes nothing but what the UE offers",
		"scenarios/algorithms > that was not offered is refused before AKA",
	]),
	row("4e", "P", "after cause 10 the same request comes with the cookie, twice at most", [
		"scenarios/rejects > the request comes again with the cookie",
		"scenarios/rejects > a UE asked for cookies again and again gives up after two",
	]),
	row("4f", "P", "0A and 0B: unprotected, to the source, one a second at most; never for an 80 or a 21", [
		"scenarios/data > an unknown session is told once a second, unprotected, to the source",
		"scenarios/resistance > neither an 80 nor a 21 of an unknown session is answered",
	]),
	// 5 Keys
	row("5a", "G", "the KDF of TS 33.220 B.2", ["keys/kdf > the length of a parameter has two octets"]),
	row("5b", "SG", "K_base by key agreements 1 to 4, K_HSE with FC 63 and 64", [
		"keys/kdf > K_HSE is K_base of agreement 3",
		"keys/kdf > K_HSE is K_base of agreement 4",
		"keys/kdf > K_ASME is K_base of agreement 2",
	]),
	row("5c", "P", "K_base by key agreements 5 to 7 is bound to both nonces", [
		"keys/hierarchy > from a shared key is bound to both nonces",
		VECTORS,
	]),
	row("5d", "P", "traffic keys are bound to algorithm, Session ID and Key ID", [
		"keys/hierarchy > Session ID, Key ID and K_base: every key",
		"keys/hierarchy > no two sessions or Key IDs of one K_base have a key in common",
	]),
	row("5e", "G", "the separation bit is 1 for agreements 2 to 4", [VECTORS]),
	row("5f", "G", "RES* of TS 33.501 A.4 with 5G AKA", ["keys/kdf > RES* (TS 33.501 A.4)"]),
	row("5g", "G", "Milenage, TUAK, and SQN by TS 33.102 Annex C", [
		"keys/milenage > OPc, f1, f1*, f2, f3, f4, f5, f5*",
		"keys/tuak > all published sets are there",
		"keys/sqn > freshness (TS 33.102 C.2)",
	]),
	// 6 Procedures
	row("6.1a", "SP", "a new session takes three messages and one round trip", [
		"scenarios/new-session > takes three messages and one round trip",
	]),
	row("6.1b", "P", "AKA failures: 0C ends the attempt; 0D resynchronises, once", [
		"scenarios/aka > 0C, and the attempt ends at both ends",
		"scenarios/aka > the USIM is ahead: AUTS, resynchronisation, the session",
	]),
	row("6.1c", "P", "a valid UP message confirms the session as well as 12 does", [
		"scenarios/new-session > 12 lost: the first UP message confirms the session",
	]),
	row("6.1d", "P", "the HSE sends no UP before the session is confirmed", [
		"scenarios/new-session > the HSE sends no UP message before the session is confirmed",
	]),
	row("6.1e", "P", "a wrong RES ends the session, even if UP has confirmed it before", [
		"scenarios/aka > a wrong RES ends the session even where a UP message has confirmed it before",
		"scenarios/refresh > a wrong RES in 31 ends the session",
	]),
	row("6.1f", "P", "nothing can be bid down: the UE compares the digest and every choice before it runs AKA", [
		"scenarios/attacker > every bit of the Session Request on its way",
		"scenarios/attacker > every bit of the Session Start on its way",
	]),
	row("6.1g", "P", "the same challenge does not run twice, so a spoilt copy of 11 does no harm", [
		"scenarios/new-session > a spoilt copy of 11 does no harm, and the USIM runs once",
	]),
	row("6.1h", "P", "a session that exists stays until the new one is confirmed", [
		"scenarios/new-session > an existing session stays until the new one is confirmed, then its keys are gone",
	]),
	row("6.2a", "P", "resume after a loss of state in one round trip, without AKA", [
		"scenarios/resume > one round trip without AKA",
	]),
	row("6.2b", "P", "no counter goes back in a resume, and what is lower counts as taken", [
		"scenarios/resume > nothing is taken before the resume, nor what is older than it",
		RANDOM,
	]),
	row("6.3", "P", "data both ways", ["scenarios/new-session > : data both ways"]),
	row("6.4a", "P", "key refresh by AKA and chained, by either side", [
		"scenarios/refresh > , by the HSE: COUNTs begin anew under the next Key ID",
		"scenarios/refresh > , asked for by the UE",
	]),
	row(
		"6.4b",
		"P",
		"old keys verify until the first message under the new one, or 30 s",
		[
			"scenarios/refresh > what is on its way under the old key is taken until the first message under the new one",
			"scenarios/refresh > old keys are erased after 30 s at both ends",
		],
		"the HSE keeps them 30 s from the first message under the new ones, where the clause can be read as not at all",
	),
	row("6.4c", "P", "while its 30 is open the HSE makes no other", [
		"scenarios/refresh > two at once: the UE's 30 is answered with the 30 that is open",
		"scenarios/refresh > a resume that overtakes the 30 does not hold the refresh up",
	]),
	row("6.4d", "P", "the HSE keeps 30 and its nonce in non-volatile storage before it sends it", [
		"hse/power-cut > in mid-refresh it takes the UE's answer under the new keys",
	]),
	row("6.5", "P", "termination by either side erases all keys", [
		"scenarios/termination > by the UE: both ends erase their keys",
		"scenarios/termination > by the HSE, with its cause",
	]),
	row("6.6a", "P", "an unprotected 80 never tears down a session with keys", [
		"scenarios/rejects > no cause tears down a session with keys, at either end",
	]),
	row("6.6b", "P", "0A or 0B makes the UE try one resume, then a new session; how often, it limits", [
		"scenarios/rejects > 0A on a live session: one resume, and the session goes on",
		"scenarios/rejects > 0A again: a new session, and the old keys stay until its 11 is verified",
		"scenarios/rejects > forged 0A after 0A costs the UE a resume a minute at first",
	]),
	row("6.6c", "P", "a back-off from an unprotected 80 is obeyed for 3,600 s at most", [
		"scenarios/rejects > a back-off is obeyed, up to the longest one",
	]),
	row("6.7", "G", "retransmission: 2 s × random(1.0–1.5), doubling, 4 times", [
		"emsdp/retransmission > after 2 s, then doubling, 4 times, and given up after as long again",
		"scenarios/new-session > nobody answers: five requests with doubling gaps",
	]),
	row("6.8", "P", "cookies and back-off under load; no vector before the cookie is right", [
		"scenarios/rejects > the request comes again with the cookie; no vector is fetched before",
		"scenarios/rejects > a cookie of another source is of no use",
		"scenarios/rejects > a cookie lives through the end of its time slot",
	]),
	row("6.9a", "P", "16 MAC failures in a row block a source, 1 to 64 s; 1,000 an hour over all", [
		"emsdp/failure-limit > 16 failures in a row block a source for 1 s",
		"emsdp/failure-limit > 1,000 failures in an hour",
	]),
	row("6.9b", "P", "a UE may change its address at any time", [
		"scenarios/data > the HSE answers to the source of the newest valid message",
	]),
	row("6.10", "P", "checks in order; a drop sends nothing and changes nothing", [
		"emsdp/screening > of several faults the first of section 6.10 is named",
		"scenarios/attacker > a MAC that is cut short, made longer or left away",
		VECTORS,
	]),
	row(
		"6.11",
		"P",
		"the lifetime of tag 10: the UE renews in time where it knows when it began, the HSE ends the session",
		[
			"scenarios/termination > never, where the UE knows",
			"scenarios/termination > one that goes out takes it along",
			"scenarios/termination > by the HSE when the lifetime of tag 10 is over",
		],
	),
	// 7 State that must survive
	row("7a", "P", "the session is stored before its first use, COUNTs are reserved in blocks", [
		"scenarios/resume > one write for 64 messages",
		"client/best-client > a block of COUNTs that cannot be stored is not used",
		CUTS,
	]),
	row("7b", "P", "the record of a session has at most 128 octets, and tells when it is not whole", [
		"scenarios/resume > has at most 128 octets and comes back as it was",
	]),
	row("7c", "P", "in retained memory over deep sleep nothing is written", [
		"client/sleep > wake, one uplink, sleep: no message more, no write",
	]),
	row("7d", "P", "an HSE that has lost its COUNTs forgets the session", [
		"scenarios/rejects > an HSE that has forgotten everything",
		CUTS,
	]),
	row("7e", "G", "SQN is stored before RES leaves the device, and at the centre before the challenge does", [
		"scenarios/aka > the SQN is stored before RES leaves the device",
		"hunt/power-cuts > before or after an SQN is stored: none goes out twice",
	]),
	// 8
	row("8a", "S", "the eight commands of the liaison statement, from HTTP to the octets of the device and back", [
		"emsdp/profile > the liaison statement's eight commands are all there",
		"northbound/liaison > Uplink Request: octets of the device become a notification",
		"northbound/liaison > Downlink response: a delivery becomes octets that the device takes",
		"northbound/liaison > Request BEST-session, by the device: a 10 becomes a notification",
		"northbound/liaison > Request BEST-session, by the server, and Start of BEST-session: 11 and 12 end the wait",
		"northbound/liaison > Request Termination and Terminate BEST Session: 20 to the device, 21 back",
		"northbound/liaison > : 30 to the device, 31 back, the new key identifier",
		"northbound/liaison > Manage EMSDP Keys: the server has the key that the device has, and there is a record",
	]),
	row("8b", "G", "data as T8 NIDD has them (TS 29.122)", [
		"northbound/nidd > every operation of the published document is there",
	]),
	row("8c", "SP", "K_EAS_PSK goes out by policy only, and each time on record", [
		"northbound/best > stays here where the policy denies it",
		"northbound/best > stays here where the HSE's database denies it, whatever the policy of the UE",
		"scenarios/eas > escrow that fails, or that there is none of: no key leaves the HSE",
	]),
];

/** The attacker's list: each thing that is tried, and the test that tries it. */
export const ATTACKS: readonly (readonly [attack: string, test: string])[] = [
	["replay of every message of a session", "scenarios/attacker > replay: every message of a session again"],
	["reflection", "scenarios/attacker > reflection: every message back to its sender"],
	["cut and paste between sessions, planes, keys and directions", "scenarios/attacker > cut and paste"],
	["truncated and extended MACs", "scenarios/attacker > a MAC that is cut short, made longer or left away"],
	["downgrade of every field of the request", "scenarios/attacker > every bit of the Session Request on its way"],
	["downgrade of every field of the answer", "scenarios/attacker > every bit of the Session Start on its way"],
	["downgrade of the algorithms", "scenarios/algorithms > that was cut on its way is found out"],
	["forged rejects", "scenarios/rejects > no cause tears down a session with keys, at either end"],
	["forged 0A again and again", "scenarios/rejects > forged 0A after 0A costs the UE a resume a minute at first"],
	["forged terminates", "scenarios/attacker > forged: without a key, with a wrong MAC, of another session"],
	["cookie theft", "scenarios/rejects > a cookie of another source is of no use"],
	["Key ID confusion", "scenarios/attacker > messages under every earlier key of the session"],
	["Session ID guessing", "scenarios/attacker > a source learns one a second at the most"],
	["timing of the comparison of MACs", "kernels/constant-path > the native kernel takes one path to refuse a MAC"],
	["timing of other comparisons", "kernels/constant-path > every octet of both is looked at, wherever they differ"],
	["requests in a UE's name", "scenarios/resistance > four unconfirmed sessions at the most"],
	["forged AUTS", "scenarios/aka > a forged AUTS is ignored"],
	[
		"octets of any kind, and changed messages",
		"hunt/mutations > neither throws, nor changes what only the other end may change",
	],
];
