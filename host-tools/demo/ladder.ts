import type { Traffic } from "../hse/server.js";
import { isProtected, nameOf } from "../inspect/name.js";

const WIDTH = 34;

/** What the HSE did with a datagram, in words. */
function fate({ verdict, datagram }: Traffic): string {
	if (verdict === "accept")
		return isProtected(datagram) ? "MAC and COUNT verified" : "not protected, taken as a request";
	if (verdict === "repetition") return "the same again: the cached answer goes out once more";
	if (verdict === "hint") return "not protected, taken as a hint";
	if (verdict === "reject") return "rejected";
	return `dropped: ${verdict}`;
}

/** One message as a rung between the UE on the left and the HSE on the right. */
export function rung(traffic: Traffic): string {
	const name = nameOf(traffic.datagram);
	const line = "─".repeat(Math.max(1, WIDTH - name.length));
	const arrow = traffic.fromUe ? `── ${name} ${line}▶` : `◀── ${name} ${line}`;
	const octets = `${traffic.datagram.length} octets`.padStart(11);
	const note = traffic.fromUe ? `HSE: ${fate(traffic)}` : "";
	return `  UE ${arrow} HSE ${octets}  ${note}`.trimEnd();
}

/** What the device says, on its side of the ladder. */
export function remark(text: string): string {
	return `  UE: ${text}`;
}
