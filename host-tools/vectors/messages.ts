import { Header, writeHeader } from "../../firmware/emsdp/header.js";
import { COMMANDS, HEADER } from "../../firmware/emsdp/profile.js";
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
