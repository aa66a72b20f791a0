import { isIPv6 } from "node:net";

/**
 * What one host can send from: an IPv4 address, or the /64 of an IPv6 address. Limits by address count by this.
 * @param address as a socket names it: with a zone perhaps, and an IPv4 one as `::ffff:192.0.2.1` at a socket for both
 */
export function networkOf(address: string): string {
	const [bare] = address.split("%");
	const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1];
	if (mapped !== undefined) return mapped;
	if (!isIPv6(bare)) return address;
	const [head, tail] = bare.split("::").map((part) => part.split(":").filter((group) => group !== ""));
	const zeros = tail === undefined ? 0 : 8 - head.length - tail.length;
	const groups = [...head, ...new Array(Math.max(0, zeros)).fill("0"), ...(tail ?? [])];
	return `${groups
		.slice(0, 4)
		.map((group) => Number.parseInt(group, 16).toString(16))
		.join(":")}::/64`;
}
