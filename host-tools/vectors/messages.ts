import { Header, writeHeader } from "../../firmware/emsdp/header.js";
import { writeUint32 } from "../../firmware/emsdp/octets.js";
import { BEARER, COMMANDS, DIRECTION, HEADER, MODE } from "../../firmware/emsdp/profile.js";
import { TlvScan, writeTlv } from "../../firmware/emsdp/tlv.js";
import type { Kernel } from "../../firmware/kernels/kernel.js";
import { fromHex, toHex } from "../hex.js";
import { endsOf } from "./session-of-vector.js";
import { listTlvs } from "./tlv.js";
import { expectEqual, type VectorCase } from "./vector-case.js";

/** The contents of a message: the payload, or the command octet and its TLVs. */
function contentOf(vector: VectorCase): Uint8Array {
	if (vector.plane === "UP") return fromHex(vector.payload);
	const octets = new Uint8Array(1 + vector.content.length);
	octets[0] = Number.parseInt(vector.command, 16);
	let end = 1;
	for (const { tag, value } of vector.tlvs) end = writeTlv(octets, end, Number.parseInt(tag, 16), fromHex(value));
	return octets.slice(0, end);
}

function checkContent(vector: VectorCase, content: Uint8Array): void {
	expectEqual("content", toHex(content), vector.content);
	if (vector.plane === "UP") return;
	const row = COMMANDS.find(({ command }) => command === content[0]);
	expectEqual("command", row?.name, vector.command_name);
	const tlvs = new TlvScan();
	expectEqual("TLV structure", tlvs.scan(content, 1, content.length), 0);
	expectEqual("TLVs", listTlvs(tlvs), vector.tlvs);
}

function checkUnprotected(vector: VectorCase): void {
	const content = contentOf(vector);
	const datagram = new Uint8Array(HEADER.length + content.length);
	writeHeader(datagram, false, 0, Number.parseInt(vector.session_id, 16), 0, 0);
	datagram.set(content, HEADER.length);
	expectEqual("datagram", toHex(datagram), vector.datagram);
	const header = new Header();
	const received = fromHex(vector.datagram);
	expectEqual("decodes", header.read(received, received.length), true);
	expectEqual("Key ID", header.keyId, 0);
	checkContent(vector, received.subarray(HEADER.length));
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
	const content = contentOf(vector);
	sending.next = vector.count;
	kernel.message.set(content, sending.headerOctets);
	const length = sending.seal(content.length);
	expectEqual("datagram", toHex(kernel.message.subarray(0, length)), vector.datagram);
	expectEqual("MAC", vector.datagram.slice(-2 * vector.session.mac_length), vector.mac);
	checkMacInput(kernel, vector);

	const received = fromHex(vector.datagram);
	kernel.message.set(received);
	const header = new Header();
	expectEqual("decodes", header.read(kernel.message, received.length), true);
	expectEqual("plane", header.userPlane, userPlane);
	expectEqual("Key ID", header.keyId, vector.key_id);
	expectEqual("Session ID", header.sessionId, Number.parseInt(vector.session_id, 16));
	if (userPlane) header.readExtension(kernel.message, received.length, receiving.headerOctets - HEADER.length);
	receiving.received.last = vector.count - 1;
	expectEqual("COUNT", receiving.open(header.countBits, received.length), vector.count);
	const opened = kernel.message.slice(receiving.headerOctets, received.length - vector.session.mac_length);
	checkContent(vector, opened);
	ue.erase();
	hse.erase();
}

export function checkMessage(kernel: Kernel, vector: VectorCase): void {
	if (vector.session === null) checkUnprotected(vector);
	else checkProtected(kernel, vector);
}
