import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { afterEach, describe, expect, test } from "@jest/globals";
import { encodeMessage } from "../../firmware/emsdp/message.js";
import { CAUSE, COMMAND, TAG } from "../../firmware/emsdp/profile.js";
import { CHECKS, examine } from "../../host-tools/doctor/checks.js";
import { reachHse } from "../../host-tools/doctor/reach.js";
import { loadBatchedUdp } from "../../host-tools/udp/batched-socket.js";
import { best } from "../support/best.js";

const opened: Socket[] = [];
afterEach(() => {
	for (const socket of opened.splice(0)) socket.close();
});

/** A peer that answers what it is sent with what `answer` makes of the Session ID. */
async function peer(answer: (sessionId: number) => Uint8Array): Promise<number> {
	const socket = createSocket("udp4");
	opened.push(socket);
	socket.on("message", (octets, { port, address }) => socket.send(answer(octets.readUInt32BE(2)), port, address));
	socket.bind(0, "127.0.0.1");
	await once(socket, "listening");
	return socket.address().port;
}

const reject = (sessionId: number) =>
	encodeMessage({
		plane: "CP",
		keyId: 0,
		sessionId,
		count: 0,
		command: COMMAND.messageReject,
		tlvs: [{ tag: TAG.cause, value: Uint8Array.of(CAUSE.sessionUnknown) }],
	});

describe("best doctor", () => {
	test("everything needed is here, and the lines say what was found", () => {
		const { status, stdout } = best(["doctor"]);
		expect(status).toBe(0);
		expect(stdout).toMatch(/^ok {2}Node\.js +v\d+/m);
		expect(stdout).toMatch(/^ok {2}kernels +build\/kernels$/m);
	});

	test("--json has one finding for each check", () => {
		const findings = JSON.parse(best(["doctor", "--json"]).stdout);
		expect(findings.map(({ name }: { name: string }) => name)).toEqual(CHECKS.map(({ name }) => name));
	});

	test("what is missing comes with what it is for and what to do", () => {
		const check = { name: "x", purpose: "y", advice: "Do z.", find: () => undefined };
		expect(examine({ ...check, isNeeded: false })).toEqual({
			name: "x",
			purpose: "y",
			state: "missing",
			advice: "Do z.",
		});
		expect(examine({ ...check, isNeeded: true }).state).toBe("failed");
	});

	test("an HSE that answers is found, by a message that touches no subscriber", async () => {
		const port = await peer(reject);
		expect(await reachHse("127.0.0.1", port)).toMatchObject({ state: "ok", found: expect.stringMatching(/ms/) });
	});

	test("what answers something else is no HSE", async () => {
		const port = await peer(() => new Uint8Array([1, 2, 3]));
		expect(await reachHse("127.0.0.1", port)).toMatchObject({ state: "failed" });
	}, 10_000);

	test("a name without an address is told as such", async () => {
		const { state, advice } = await reachHse("hse.invalid", 33163);
		expect(state).toBe("failed");
		expect(advice).toMatch(/^There is no address for the name hse\.invalid \(E\w+\): see how it is spelt/);
	}, 20_000);

	test("where nothing answers, the option of best hse that is named is one that it has", async () => {
		const port = await peer(() => new Uint8Array());
		const { advice = "" } = await reachHse("127.0.0.1", port);
		const option = /--[a-z]+/.exec(advice)?.[0];
		expect(option).toBe("--address");
		expect(best(["hse", "--help"]).stdout).toContain(`${option} `);
	}, 10_000);

	test("whether the HSE takes datagrams in batches is said", () => {
		const { found, advice } = examine(CHECKS.find(({ name }) => name === "batched socket") ?? CHECKS[0]);
		if (loadBatchedUdp() !== undefined) expect(found).toBe("build/udp/batched-udp.node");
		else expect(advice).toMatch(/C compiler and the headers of Node\.js/);
	});

	test("wrong use", () => {
		const { status, stderr } = best(["doctor", "--hse", "a:b:c"]);
		expect(status).toBe(2);
		expect(stderr).toMatch(/--hse is "a:b:c"/);
	});
});
