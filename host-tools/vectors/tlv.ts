import {
	encodeHseConfiguration,
	encodeUeConfiguration,
	readHseConfiguration,
	readUeConfiguration,
} from "../../firmware/emsdp/configuration.js";
import { checkContents } from "../../firmware/emsdp/contents.js";
import { decodeImsi, encodeImsi } from "../../firmware/emsdp/imsi.js";
import { CONTENTS, type ContentsRow, TLVS } from "../../firmware/emsdp/profile.js";
import { nameForm, plmnForm } from "../../firmware/emsdp/serving-network.js";
import { TlvScan, writeTlv } from "../../firmware/emsdp/tlv.js";
import { fromHex, toHex } from "../hex.js";
import { expectEqual, Mismatch, type VectorCase } from "./vector-case.js";

function tlvHex(tag: number, value: Uint8Array): string {
	const octets = new Uint8Array(2 + value.length);
	writeTlv(octets, 0, tag, value);
	return toHex(octets);
}

/** The numbers of a set of tag 03. */
function members(set: number): number[] {
	return [...Array(32).keys()].filter((number) => ((set >> number) & 1) === 1);
}

function setOf(numbers: readonly number[]): number {
	return numbers.reduce((set, number) => set | (1 << number), 0);
}

/** Checks the coding of one value: fields to octets and octets to fields. Gives the tag and the value. */
const KINDS: Record<string, (vector: VectorCase) => readonly [number, Uint8Array]> = {
	imsi: ({ digits, ef_imsi_bytes_2_to_9 }) => {
		const imsi = encodeImsi(digits);
		if (imsi === undefined) throw new Mismatch(`${digits} is not taken as an IMSI`);
		expectEqual("EF_IMSI", toHex(imsi), ef_imsi_bytes_2_to_9);
		expectEqual("digits", decodeImsi(imsi), digits);
		return [0x01, imsi];
	},
	"serving network": ({ mcc, mnc, form, plmn, name }) => {
		const value = form === 0 ? plmnForm(mcc, mnc) : nameForm(mcc, mnc);
		if (form === 0) expectEqual("PLMN", toHex(value.subarray(1)), plmn);
		else expectEqual("name", new TextDecoder().decode(value.subarray(1)), name);
		return [0x05, value];
	},
	"UE configuration": (vector) => {
		const value = encodeUeConfiguration({
			release: vector.release,
			agreements: setOf(vector.agreements),
			encryptionAlgorithms: setOf(vector.encryption_algorithms),
			integrityAlgorithms: setOf(vector.integrity_algorithms),
			counterSchemes: setOf(vector.counter_schemes),
			macLengths: setOf(vector.mac_lengths),
			service: vector.service,
			mode: vector.mode,
			largestMessage: vector.largest_message,
		});
		const read = readUeConfiguration(fromHex(vector.tlv), 2);
		expectEqual("agreements", members(read.agreements), vector.agreements);
		expectEqual("encryption algorithms", members(read.encryptionAlgorithms), vector.encryption_algorithms);
		expectEqual("integrity algorithms", members(read.integrityAlgorithms), vector.integrity_algorithms);
		expectEqual("counter schemes", members(read.counterSchemes), vector.counter_schemes);
		expectEqual("MAC lengths", members(read.macLengths), vector.mac_lengths);
		const { release, service, mode, largestMessage } = read;
		expectEqual(
			"release, service, mode, largest message",
			[release, service, mode, largestMessage],
			[vector.release, vector.service, vector.mode, vector.largest_message],
		);
		return [0x03, value];
	},
	"HSE configuration": (vector) => {
		const fields = {
			release: vector.release,
			agreement: vector.agreement,
			encryption: vector.encryption,
			integrity: vector.integrity,
			counterScheme: vector.counter_scheme,
			macLength: vector.mac_length,
			service: vector.service,
			mode: vector.mode,
			keyId: vector.key_id,
			lifetime: vector.lifetime_seconds,
			largestMessage: vector.largest_message,
		};
		expectEqual("fields", readHseConfiguration(fromHex(vector.tlv), 2), fields);
		return [0x10, encodeHseConfiguration(fields)];
	},
	value: ({ tag, value }) => [Number.parseInt(tag, 16), fromHex(value)],
};

/** A `command` of a run of TLVs as the row that lists its contents. */
function contentsOf(command: string): ContentsRow {
	const rows: readonly ContentsRow[] = Object.values(CONTENTS);
	const row = rows.find(({ name }) => name === command) ?? rows.find(({ name }) => name === command.slice(0, 2));
	if (row === undefined) throw new Mismatch(`there is no command "${command}"`);
	return row;
}

/** The known TLVs of a scanned message, sorted by tag, as the vectors list them. */
function listTlvs(tlvs: TlvScan): { tag: string; name: string; value: string }[] {
	return TLVS.filter(({ tag }) => tlvs.has(tag)).map(({ tag, name }) => ({
		tag: tag.toString(16).padStart(2, "0"),
		name,
		value: toHex(tlvs.value(tag)),
	}));
}

function checkSequence(vector: VectorCase): void {
	const octets = fromHex(vector.octets);
	const tlvs = new TlvScan();
	const row = contentsOf(vector.command);
	// Whether 12 and 31 carry a response hangs on the session: a run of them is taken in the form that fits it.
	const aka = vector.accepted?.some(({ tag }: VectorCase) => tag === "12") ?? row.name === CONTENTS.confirmation.name;
	const cause = tlvs.scan(octets, 0, octets.length) || checkContents(tlvs, row, aka);
	expectEqual("cause", cause === 0 ? null : cause.toString(16).padStart(2, "0"), vector.cause);
	if (vector.accepted !== null) expectEqual("TLVs", listTlvs(tlvs), vector.accepted);
}

export function checkTlv(vector: VectorCase): void {
	if (vector.kind === "sequence") {
		checkSequence(vector);
		return;
	}
	const check = KINDS[vector.kind];
	if (check === undefined) throw new Mismatch(`there is no kind "${vector.kind}"`);
	const [tag, value] = check(vector);
	expectEqual("TLV", tlvHex(tag, value), vector.tlv);
	const octets = fromHex(vector.tlv);
	const tlvs = new TlvScan();
	expectEqual("scan", tlvs.scan(octets, 0, octets.length), 0);
	expectEqual("value", toHex(tlvs.value(tag)), toHex(value));
	const row: ContentsRow = { name: "any", required: [tag], optional: [] };
	expectEqual("cause", checkContents(tlvs, row), 0);
}
