import { expect, test } from "@jest/globals";
import { Problem } from "../../host-tools/northbound/problem.js";
import { Authenticator } from "../../host-tools/northbound/security/authenticate.js";
import { METERS } from "./world.js";

/** How many of 21 attempts, each from the next address, are answered at all. */
async function triedFrom(addressOf: (attempt: number) => string): Promise<number> {
	const authenticator = new Authenticator([METERS], undefined, { record() {}, close() {} }, () => 0);
	let tried = 0;
	for (let i = 0; i < 21; i++)
		await authenticator.identify({ remote: addressOf(i) }).catch((error) => {
			if (error instanceof Problem && error.status === 401) tried++;
		});
	return tried;
}

test("failed attempts are counted for an IPv4 address, and for the /64 of an IPv6 address, which one host has", async () => {
	expect(await triedFrom(() => "192.0.2.1")).toBe(20);
	expect(await triedFrom((i) => `192.0.2.${i}`)).toBe(21);
	expect(await triedFrom((i) => `2001:db8::${i.toString(16)}`)).toBe(20);
	expect(await triedFrom((i) => `2001:db8:0:0:${i.toString(16)}::1`)).toBe(20);
	expect(await triedFrom((i) => `2001:db8:0:${i.toString(16)}::1`)).toBe(21);
	expect(await triedFrom((i) => `2001:db8:0:0:1:2:3:${i.toString(16)}`)).toBe(20);
	expect(await triedFrom((i) => `fe80::${i.toString(16)}%eth0`)).toBe(20);
	// An IPv4 peer of a socket for both.
	expect(await triedFrom((i) => `::ffff:192.0.2.${i}`)).toBe(21);
});
