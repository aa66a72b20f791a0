import { extensionOctets, Header, writeHeader } from "../../firmware/emsdp/header.js";
import { HEADER } from "../../firmware/emsdp/profile.js";
import { fromHex, toHex } from "../hex.js";
import { expectEqual, type VectorCase } from "./vector-case.js";

export function checkHeader(vector: VectorCase): void {
	const userPlane = vector.plane === "UP";
	const extension = userPlane ? extensionOctets(vector.counter_scheme) : 0;
	const octets = new Uint8Array(HEADER.length + extension);
	const sessionId = Number.parseInt(vector.session_id, 16);
	const length = writeHeader(octets, userPlane, vector.key_id, sessionId, vector.count, extension);
	expectEqual("header", toHex(octets.subarray(0, length)), vector.header);
	expectEqual("header length", length, vector.header_length);

	const header = new Header();
	const received = fromHex(vector.header);
	expectEqual("decodes", header.read(received, received.length), true);
	expectEqual("extension", header.readExtension(received, received.length, extension), true);
	expectEqual("plane", header.userPlane, userPlane);
	expectEqual("Key ID", header.keyId, vector.key_id);
	expectEqual("Session ID", header.sessionId, sessionId);
	expectEqual("counter bits", HEADER.countBits + 8 * extension, vector.counter_bits);
	expectEqual("received counter", header.countBits, vector.received_counter);
}
