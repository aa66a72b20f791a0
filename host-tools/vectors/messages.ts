import { extensionOctets, Header } from "../../firmware/emsdp/header.js";
import { decodeMessage, encodeMessage, type Message } from "../../firmware/emsdp/message.js";
import { writeUint32 } from "../../firmware/emsdp/octets.js";
import { BEARER, COMMANDS, DIRECTION, HEADER, MODE, TLVS } from "../../firmware/emsdp/profile.js";
import type { Kernel } from "../../firmware/kernels/kernel.js";
import { fromHex, toHex } from "../hex.js";
import { endsOf } from "./session-of-vector.js";
import { expectEqual, type VectorCase } from "./vector-case.js";

/** The message of a case as an object. */
function messageOf(vector: VectorCase): Message {
	const { key_id: keyId, plane, count } = vector;
	const header = { keyId, sessionId: Number.parseInt(vector.session_id, 16), count: count ?? 0 };
	if (plane === "UP") return { plane, ...header, payload: fromHex(vector.payload) };
	const tlvs = vector.tlvs.map(({ tag, value }: VectorCase) => ({
		tag: Number.parseInt(tag, 16),
		value: fromHex(value),
	}));
	return { plane, ...header, command: Number.parseInt(vector.command, 16), tlvs };
}

/** Checks a message in clear, header included, against the fields of a case. */
function checkClear(vector: VectorCase, octets: Uint8Array, fromUe: boolean): void {
	const scheme = vector.session?.counter_scheme ?? 0;
	const message = decodeMessage(octets, fromUe, scheme);
	expectEqual("Key ID", message.keyId, vector.key_id);
	expectEqual("Session ID", message.sessionId, Number.parseInt(vector.session_id, 16));
	const contents = octets.subarray(HEADER.length + (message.plane === "UP" ? extensionOctets(scheme) : 0));
	expectEqual("content", toHex(contents), vector.content);
	expectEqual("plane", message.plane, vector.plane);
	if (message.plane === "UP") return;
	expectEqual("command", COMMANDS.find(({ command }) => command === message.command)?.name, vector.command_name);
	const tlvs = message.tlvs.map(({ tag, value }) => ({
		tag: tag.toString(16).padStart(2, "0"),
		name: TLVS.find((row) => row.tag === tag)?.name,
		value: toHex(value),
	}));
	expectEqual("TLVs", tlvs, vector.tlvs);
}

function checkUnprotected(vector: VectorCase): void {
	expectEqual("datagram", toHex(encodeMessage(messageOf(vector))), vector.datagram);
	// An unprotected 80 comes from either side, a 10 from the UE only.
	checkClear(vector, fromHex(vector.datagram), true);
}

/** COUNT, BEARER, DIRECTION, 26 zero bits, then the octets as sent, and the CMAC over all that. */
function checkMacInput(
	kernel: Kernel,
	{ session, plane, direction, count, datagram, mac_input, mac }: VectorCase,
): void {
	const bearer = plane === "UP" ? BEARER.userPlane : BEARER.controlPlane;
	const word = (bearer << 27) | ((direction === "from UE" ? DIRECTION.fromUe : DIRECTION.toUe) << 26);
	const prefix = new Uint8Array(8);
	writeUint32(prefix, 0, count);
	writeUint32(prefix, 4, word);
	expectEqual("MAC input", toHex(prefix) + datagram.slice(0, -2 * session.mac_length), mac_input);
	const key = fromHex(plane === "UP" && session.mode === MODE.ueToEas ? session.k_e2e_int : session.k_e2m_int);
	const keySet = kernel.createKeySet();
	kernel.setKeys(keySet, key, key);
	const input = fromHex(mac_input);
	if (input.length + 16 <= kernel.message.length) {
		kernel.message.set(input);
		kernel.cmac(keySet, 8 * input.length);
		const octets = kernel.message.subarray(input.length, input.length + session.mac_length);
		expectEqual("CMAC of the MAC input", toHex(octets), mac);
	}
	kernel.eraseKeys(keySet);
}

function checkProtected(kernel: Kernel, vector: VectorCase): void {
	const { ue, hse } = endsOf(kernel, vector.session);
	const fromUe = vector.direction === "from UE";
	const [sender, receiver] = fromUe ? [ue, hse] : [hse, ue];
	const userPlane = vector.plane === "UP";
	const sending = userPlane ? sender.user : sender.control;
	const receiving = userPlane ? receiver.user : receiver.control;
	const clear = encodeMessage(messageOf(vector), vector.session.counter_scheme);
	sending.next = vector.count;
	kernel.message.set(clear);
	const length = sending.seal(clear.length - sending.headerOctets);
	expectEqual("datagram", toHex(kernel.message.subarray(0, length)), vector.datagram);
	expectEqual("MAC", vector.datagram.slice(-2 * vector.session.mac_length), vector.mac);
	checkMacInput(kernel, vector);

	const received = fromHex(vector.datagram);
	kernel.message.set(received);
	const header = new Header();
	expectEqual("header", header.read(kernel.message, received.length), true);
	if (userPlane) header.readExtension(kernel.message, received.length, receiving.headerOctets - HEADER.length);
	receiving.received.last = vector.count - 1;
	expectEqual("COUNT", receiving.open(header.countBits, received.length), vector.count);
	checkClear(vector, kernel.message.slice(0, received.length - vector.session.mac_length), fromUe);
	ue.erase();
	hse.erase();
}

export function checkMessage(kernel: Kernel, vector: VectorCase): void {
	if (vector.session === null) checkUnprotected(vector);
	else checkProtected(kernel, vector);
}
