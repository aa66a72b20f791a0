/** The firmware on XS, a pseudo-terminal, a scripted modem with its card, UDP, an HSE: all as in the field but the radio. */
import { createSocket } from "node:dgram";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { CARD, decodeIdentity } from "../../firmware/client/identity.js";
import { Milenage } from "../../firmware/keys/milenage.js";
import { SoftUsim } from "../../firmware/platform/common/soft-usim.js";
import { type Device, startDevice } from "../../host-tools/device/device.js";
import { HseDatabase } from "../../host-tools/hse/database.js";
import { HseServer } from "../../host-tools/hse/server.js";
import { loadKernel } from "../../host-tools/kernel.js";
import { openLine } from "../../host-tools/provision/line.js";
import { hasXsHost } from "../platform/host/hosts.js";
import { best } from "../support/best.js";
import { IMSI, MemoryStore, SeededRandom } from "../support/pair.js";
import { ScriptedCard } from "./scripted-card.js";
import { type Family, ScriptedModem } from "./scripted-modem.js";

const K = "2b7e151628aed2a6abf7158809cf4f3c";
const OPC = "9f1c2d3e4b5a69788796a5b4c3d2e1f0";
const octets = (hex: string) => Uint8Array.from(Buffer.from(hex, "hex"));

let folder: string;
let database: HseDatabase;
let server: HseServer;
let uplinks: string[];
const endings: (() => Promise<void> | void)[] = [];

beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "best-modem-"));
	uplinks = [];
});
afterEach(async () => {
	for (const end of endings.splice(0).reverse()) await end();
	rmSync(folder, { recursive: true });
});

/** An HSE that knows the card, and a device that knows the HSE and no keys. */
async function provisioned(): Promise<void> {
	const file = join(folder, "hse.db");
	const probe = createSocket("udp4");
	await new Promise<void>((resolve) => probe.bind(0, "127.0.0.1", resolve));
	const { port } = probe.address();
	await new Promise<void>((resolve) => probe.close(resolve));
	const where = ["--store", join(folder, "store"), "--database", file, "--hse-port", String(port)];
	const card = ["--imsi", IMSI, "--usim", "card", "--keys", "-"];
	const { status, stderr } = best(["provision", ...where, ...card], JSON.stringify({ k: K, opc: OPC }));
	expect([status, stderr]).toEqual([0, ""]);
	database = new HseDatabase(file);
	server = new HseServer({
		kernel: loadKernel(),
		database,
		address: "127.0.0.1",
		port,
		onEvent: (event) => {
			if (event.kind !== "uplink") return;
			const text = Buffer.from(event.payload).toString();
			uplinks.push(text);
			server.send(event.sessionId, Buffer.from(`to ${text}`));
		},
	});
	await server.listen();
	endings.push(async () => {
		await server.close();
		database.close();
	});
}

/** The device, and what it has printed. */
function boot(dialect: string, usim: string) {
	const device: Device = startDevice({
		storeDirectory: join(folder, "store"),
		isComplete: true,
		modem: { path: "pty", dialect, apn: "iot.test", usim },
	});
	const lines: { event: string; path?: string; payload?: string; failure?: string }[] = [];
	let wake = () => {};
	device.onLine((line) => {
		lines.push(JSON.parse(line));
		wake();
	});
	device.onErrorLine((line) => {
		throw new Error(line);
	});
	endings.push(async () => {
		device.cutPower();
		await device.exited;
	});
	const until = async (isSo: () => boolean) => {
		while (!isSo())
			await new Promise<void>((resolve) => {
				wake = resolve;
				setTimeout(resolve, 20);
			});
	};
	return { device, lines, until };
}

/** A scripted modem on the device's pseudo-terminal; its network is UDP on this machine. */
async function plugIn(path: string, family: Family, seed: number) {
	const line = await openLine(path);
	const socket = createSocket("udp4");
	const functions = new Milenage(loadKernel(), octets(K), octets(OPC));
	const usim = new SoftUsim(functions, new Uint8Array(8), new MemoryStore());
	const card = new ScriptedCard({ imsi: IMSI, usim });
	const modem = new ScriptedModem({
		family,
		random: new SeededRandom(seed),
		card,
		isNoisy: true,
		searches: 0,
		later: (milliseconds, action) => setTimeout(action, milliseconds),
		toDevice: (piece) => line.write(piece),
		// Non-IP data end at a function of the network that knows the HSE.
		onUplink: (datagram, address, port) => socket.send(datagram, port || server.port, address || "127.0.0.1"),
	});
	line.onOctets = (piece) => modem.receive(piece);
	socket.on("message", (datagram) => modem.downlink(datagram));
	endings.push(async () => {
		socket.close();
		await line.close();
	});
	return { modem, card };
}

const WAYS: readonly (readonly [Family, string])[] = [
	["quectel", "csim"],
	["u-blox", "cgla"],
	["nordic", "csim"],
	["non-ip", "cgla"],
];

jest.setTimeout(30_000);

(hasXsHost ? describe : describe.skip)("a device on XS with a modem on a pseudo-terminal", () => {
	test.each(WAYS)("%s, its card by %s: a session, data both ways, its end", async (family, access) => {
		await provisioned();
		const { device, lines, until } = boot(family, access);
		await until(() => lines.length > 0);
		const { card, modem } = await plugIn(lines[0].path ?? "", family, 7);
		await until(() => lines.some(({ event }) => event === "session started"));
		for (const text of ["one", "two"]) {
			device.sendReading(Buffer.from(text));
			await until(() => lines.some(({ payload }) => payload === Buffer.from(`to ${text}`).toString("hex")));
		}
		device.end();
		expect(await device.exited).toBe(0);
		expect(uplinks).toEqual(["one", "two"]);
		expect(lines.map(({ event }) => event)).toContain("session over");
		expect(modem.commands.some((command) => command.startsWith("AT+CGDCONT=1,"))).toBe(true);
		expect(card.seen.filter((apdu) => apdu.slice(2, 8) === "880081")).toHaveLength(1);
		// The device has never held a key of the subscription.
		const identity = decodeIdentity(Uint8Array.from(readFileSync(join(folder, "store/identity"))));
		expect(identity.credentials).toHaveLength(0);
	});

	test("a power cut: the session is resumed, and the card is not asked again", async () => {
		await provisioned();
		const first = boot("quectel", "csim");
		await first.until(() => first.lines.length > 0);
		await plugIn(first.lines[0].path ?? "", "quectel", 3);
		await first.until(() => first.lines.some(({ event }) => event === "session started"));
		first.device.cutPower();
		await first.device.exited;
		const second = boot("quectel", "csim");
		await second.until(() => second.lines.length > 0);
		const { card } = await plugIn(second.lines[0].path ?? "", "quectel", 4);
		await second.until(() => second.lines.some(({ event }) => event === "session resumed"));
		second.device.sendReading(Buffer.from("again"));
		await second.until(() => uplinks.includes("again"));
		expect(card.seen.filter((apdu) => apdu.slice(2, 8) === "880081")).toHaveLength(0);
	});
});

describe("the command", () => {
	test.each([
		[["--dialect", "quectel"], /go with --modem/],
		[["--modem", "pty"], /--dialect is missing: quectel, u-blox, nordic, non-ip/],
		[["--modem", "pty", "--dialect", "hayes"], /no modem dialect "hayes"/],
		[["--modem", "pty", "--dialect", "quectel", "--usim", "esim"], /soft, csim, cgla/],
		[["--modem", "pty", "--dialect", "quectel", "--apn", 'a"b'], /APN/],
	])("%j", (words, why) => {
		const { status, stderr } = best(["device", "--store", folder, ...words]);
		expect(status).toBe(2);
		expect(stderr).toMatch(why);
	});

	test("best provision --usim card: without a database no keys are needed, and none are made", () => {
		const { status, stdout } = best(["provision", "--store", join(folder, "store"), "--usim", "card"]);
		expect([status, stdout]).toEqual([0, "Subscriber 001010000000001 in ".concat(join(folder, "store"), ".\n")]);
		const record = Uint8Array.from(readFileSync(join(folder, "store/identity")));
		expect(decodeIdentity(record)).toMatchObject({ algorithm: CARD, credentials: new Uint8Array(0) });
		// A device without a modem says what it lacks.
		const run = best(["device", "--store", join(folder, "store"), "--count", "1"]);
		expect(run.status).toBe(1);
		expect(run.stdout).toMatch(/The card of a modem is to run AKA, and this device reaches none/);
	});

	test("best provision --usim card: no fresh keys for a card", () => {
		const where = ["--store", join(folder, "store"), "--database", join(folder, "hse.db")];
		const { status, stderr } = best(["provision", ...where, "--usim", "card"]);
		expect(status).toBe(2);
		expect(stderr).toMatch(/has its keys already/);
	});
});
