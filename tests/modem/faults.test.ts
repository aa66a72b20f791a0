import { describe, expect, test } from "@jest/globals";
import { modemOptions } from "../../firmware/modem/configuration.js";
import type { Family } from "./scripted-modem.js";
import { World } from "./world.js";

/** How each family sends a datagram. */
const SENDING: readonly (readonly [Family, string])[] = [
	["quectel", "AT+QISEND"],
	["u-blox", "AT+USOST"],
	["nordic", "AT#XSENDTO"],
	["non-ip", "AT+CSODCP"],
];

/** Answers a command wrongly so many times. */
function refusing(start: string, final: string, times = 1) {
	let left = times;
	return (command: string) => (command.startsWith(start) && left-- > 0 ? final : undefined);
}

function sendAndWait(world: World, datagram: ReturnType<World["open"]>["datagram"], octet: number): void {
	datagram.write(Uint8Array.of(octet), 1);
	const text = octet.toString(16).padStart(2, "0");
	world.time.until(() => world.uplinks.some((uplink) => uplink.datagram === text), `uplink ${text}`);
}

/** Every command of the way to an open socket that must not fail, by family. */
const NEEDED: readonly (readonly [Family, string, string])[] = [
	["quectel", "ATE0", "no answer"],
	["quectel", "AT+CFUN=1", "no answer"],
	["quectel", "AT+CPIN?", "no SIM"],
	["quectel", "AT+CEREG?", "not registered"],
	["quectel", "AT+QIOPEN", "socket"],
	["u-blox", "AT+UDCONF", "socket"],
	["u-blox", "AT+USOCR", "socket"],
	["nordic", "AT#XSOCKET", "socket"],
	["nordic", "AT#XAPOLL", "socket"],
	["non-ip", "AT+CRTDCP=1", "socket"],
];

describe("a modem that refuses", () => {
	test.each(NEEDED)("%s, %s: it is told as %s, tried again, and works then", (family, command, failure) => {
		const world = new World({ family, refuse: refusing(command, "+CME ERROR: 30", 2) });
		const { datagram } = world.open();
		sendAndWait(world, datagram, 1);
		expect(world.lines[0]).toMatchObject({ event: "modem failed", failure, error: 30 });
		expect(world.lines[0].command?.startsWith(command)).toBe(true);
		expect(world.lines.map(({ event }) => event)).toEqual(["modem failed", "modem open"]);
	});

	test.each(["AT+CMEE=1", "AT+CGDCONT", "AT+CEREG=1", "AT+QICSGP", "AT+QIACT"])("%s is not needed", (command) => {
		const isNeeded = command === "AT+QICSGP";
		const world = new World({ family: "quectel", apn: "iot", refuse: refusing(command, "ERROR", isNeeded ? 0 : 9) });
		const { datagram } = world.open();
		sendAndWait(world, datagram, 1);
		expect(world.lines).toEqual([{ event: "modem open" }]);
		expect(world.modem.commands.some((line) => line.startsWith(command))).toBe(true);
	});

	test("a PIN: it says what to do, and asks less and less often", () => {
		let asked = 0;
		const world = new World({
			family: "quectel",
			refuse: (command) => {
				if (command !== "AT+CPIN?") return undefined;
				asked++;
				return "\r\n+CPIN: SIM PIN\r\n\r\nOK";
			},
		});
		world.open();
		world.time.pass(3_600_000);
		expect(world.lines).toMatchObject([{ failure: "no SIM", why: expect.stringContaining("PIN off") }]);
		expect(asked).toBeGreaterThan(10);
		expect(asked).toBeLessThan(25);
	});

	test("+QIOPEN with a number, later and in a line of its own", () => {
		let times = 1;
		const world = new World({
			family: "quectel",
			refuse: (command) => (command.startsWith("AT+QIOPEN") && times-- > 0 ? "OK\r\n\r\n+QIOPEN: 0,566" : undefined),
		});
		const { datagram } = world.open();
		sendAndWait(world, datagram, 1);
		expect(world.lines[0]).toMatchObject({ failure: "socket", error: 566 });
	});

	test.each([
		["quectel", "AT+QISEND", "SEND FAIL"],
		["quectel", "AT+QISEND", "ERROR"],
		["u-blox", "AT+USOST", "+CME ERROR: 4"],
		["nordic", "AT#XSENDTO", "ERROR"],
		["non-ip", "AT+CSODCP", "+CME ERROR: 50"],
	] as const)("%s, %s with %s: one datagram is lost, not the next", (family, command, final) => {
		const world = new World({ family, refuse: refusing(command, final) });
		const { datagram } = world.open();
		datagram.write(Uint8Array.of(1), 1);
		sendAndWait(world, datagram, 2);
		expect(world.uplinks.map(({ datagram }) => datagram)).toEqual(["02"]);
		expect(world.lines).toEqual([{ event: "modem open" }]);
	});

	test.each(SENDING)("%s, three datagrams in a row: the socket is opened anew", (family, command) => {
		const world = new World({ family, refuse: refusing(command, "ERROR", 3) });
		const { datagram } = world.open();
		for (const octet of [1, 2, 3]) datagram.write(Uint8Array.of(octet), 1);
		sendAndWait(world, datagram, 4);
		expect(world.lines.map(({ event }) => event)).toEqual(["modem open", "modem failed", "modem open"]);
	});
});

describe("a modem that is slow", () => {
	test.each(SENDING)("%s: a final result that comes too late is not taken for the next command's", (family, start) => {
		let isLate = true;
		const world = new World({
			family,
			delay: (command) => {
				if (!isLate || !command.startsWith(start)) return 1;
				isLate = false;
				return 123_000;
			},
		});
		const { datagram } = world.open();
		datagram.write(Uint8Array.of(1), 1);
		sendAndWait(world, datagram, 2);
		sendAndWait(world, datagram, 3);
		expect(world.uplinks.slice(-2).map(({ datagram }) => datagram)).toEqual(["02", "03"]);
	});

	test("an answer to +QIRD that comes too late takes its datagram with it, not the one behind it", () => {
		let isLate = true;
		const world = new World({
			family: "quectel",
			delay: (command) => {
				// Where nothing waits nothing is late.
				if (!isLate || !command.startsWith("AT+QIRD") || world.lines.length === 0) return 1;
				isLate = false;
				return 15_000;
			},
		});
		const { received } = world.open();
		world.time.until(() => world.lines.length === 1);
		world.modem.downlink(Uint8Array.of(1));
		world.modem.downlink(Uint8Array.of(2));
		world.time.until(() => received.includes("02"));
		expect(isLate).toBe(false);
	});

	test.each(["quectel", "u-blox"] as const)("%s: a prompt that is lost does not leave it in data mode", (family) => {
		const world = new World({ family });
		const { datagram } = world.open();
		world.time.until(() => world.lines.length === 1);
		const deliver = world.serial.deliver.bind(world.serial);
		let isLost = false;
		world.serial.deliver = (octets) => {
			const text = Buffer.from(octets).toString();
			if (!isLost && (text.includes("> ") || text.includes("@"))) isLost = true;
			else deliver(octets);
		};
		datagram.write(new Uint8Array(40).fill(1), 40);
		sendAndWait(world, datagram, 2);
		expect(isLost).toBe(true);
		// The spoilt one is no message of EMSDP: it begins with a CR.
		expect(world.uplinks[0].datagram.startsWith("0d")).toBe(true);
		expect(world.uplinks[1].datagram).toBe("02");
	});

	test("one that is switched on only after minutes: told once, then it works", () => {
		const world = new World({ family: "nordic" });
		const receive = world.modem.receive.bind(world.modem);
		world.modem.receive = () => {};
		const { datagram } = world.open();
		world.time.pass(400_000);
		expect(world.lines).toMatchObject([{ failure: "no answer", command: "AT" }]);
		world.modem.receive = receive;
		sendAndWait(world, datagram, 7);
	});

	test("a modem that stops answering for good is asked at most every five minutes", () => {
		const world = new World({ family: "nordic" });
		world.open();
		world.time.until(() => world.lines.length === 1);
		world.modem.receive = () => {};
		const before = world.transcript.length;
		world.attached.readImsi(() => {});
		world.time.pass(24 * 3_600_000 - 1);
		expect(world.transcript.length - before).toBeLessThan(10 * 24 * 13);
		expect(world.lines.at(-1)).toMatchObject({ failure: "no answer" });
	});
});

test("a port that is opened anew while a datagram is on its way: the new one's first datagram is sent", () => {
	const world = new World({ family: "nordic", delay: (command) => (command.startsWith("AT#XSENDTO") ? 500 : 1) });
	const first = world.open();
	first.datagram.write(Uint8Array.of(1), 1);
	world.time.until(() => world.modem.commands.some((command) => command.startsWith("AT#XSENDTO")));
	const { datagram } = world.open();
	sendAndWait(world, datagram, 2);
	// The first one's object does nothing any more.
	first.datagram.write(Uint8Array.of(3), 1);
	first.datagram.close();
	sendAndWait(world, datagram, 4);
	expect(world.uplinks.map(({ datagram }) => datagram)).toEqual(["01", "02", "04"]);
});

describe("a modem that changes its mind", () => {
	test.each([
		["quectel", '+QIURC: "closed",0'],
		["quectel", '+QIURC: "pdpdeact",1'],
		["u-blox", "+UUSOCL: 3"],
		["nordic", "#XAPOLL: 3,16"],
	] as const)("%s: after %s the socket is opened anew", (family, line) => {
		const world = new World({ family });
		const { datagram, received } = world.open();
		sendAndWait(world, datagram, 1);
		world.modem.say(line);
		world.time.until(() => world.lines.length === 2);
		sendAndWait(world, datagram, 2);
		world.modem.downlink(Uint8Array.of(5));
		world.time.until(() => received.length === 1);
	});

	test.each([
		["quectel", "RDY"],
		["nordic", "Ready"],
	] as const)("%s: after %s everything is told again, and the echo goes off again", (family, banner) => {
		const world = new World({ family });
		const { datagram } = world.open();
		sendAndWait(world, datagram, 1);
		world.modem.restart(banner);
		sendAndWait(world, datagram, 2);
		expect(world.modem.commands.filter((command) => command === "ATE0")).toHaveLength(2);
	});

	test("a line about another socket changes nothing", () => {
		const world = new World({ family: "u-blox" });
		world.open();
		world.time.until(() => world.lines.length === 1);
		world.time.pass(1000);
		const before = world.modem.commands.length;
		for (const line of ["+UUSOCL: 2", "+UUSORF: 1,20", "+UUSORF: x", "+UUSORF:", "+UUSOCL: 33"]) world.modem.say(line);
		world.time.pass(60_000);
		expect(world.modem.commands).toHaveLength(before);
	});

	test("news of the network cut the wait for it short", () => {
		const world = new World({ family: "quectel", searches: 1 });
		world.open();
		world.time.until(() => world.lines.some(({ failure }) => failure === "not registered"));
		const { now } = world.time;
		world.modem.say("+CEREG: 1");
		world.time.until(() => world.lines.some(({ event }) => event === "modem open"));
		// Not at once, and not after the minute that it would wait otherwise.
		expect(world.time.now - now).toBeLessThan(1500);
	});

	test("a network that closes the socket as soon as it is open does not keep the modem busy", () => {
		const world = new World({ family: "quectel" });
		const { datagram } = world.open();
		sendAndWait(world, datagram, 1);
		const before = world.modem.commands.length;
		const { now } = world.time;
		while (world.time.now - now < 60_000) {
			world.modem.say('+QIURC: "closed",0');
			world.time.pass(100);
		}
		expect(world.modem.commands.length - before).toBeLessThan(80);
		sendAndWait(world, datagram, 2);
	});
});

describe("limits", () => {
	test.each([
		["u-blox", 1025],
		["quectel", 1233],
	] as const)("%s: a datagram of %i octets is lost, and that is told", (family, length) => {
		const world = new World({ family });
		const { datagram } = world.open();
		datagram.write(new Uint8Array(length), length);
		sendAndWait(world, datagram, 9);
		expect(world.lines[0]).toMatchObject({ failure: "too long" });
		expect(world.uplinks).toHaveLength(1);
	});

	test("more than fits before the modem is ready: the oldest are sent, the rest is lost", () => {
		const world = new World({ family: "quectel" });
		const { datagram } = world.open();
		for (let i = 0; i < 5; i++) datagram.write(new Uint8Array(1000).fill(i), 1000);
		world.time.until(() => world.uplinks.length === 2);
		world.time.pass(10_000);
		expect(world.uplinks.map(({ datagram }) => datagram.slice(0, 2))).toEqual(["00", "01"]);
	});

	test.each(['1.2.3.4",1', "1.2.3.4\rAT+CFUN=0", "", "hse.example", "1".repeat(40)])("no address: %j", (address) => {
		const world = new World({ family: "quectel" });
		expect(() => world.attached.openDatagram(address, 33163)).toThrow(RangeError);
		expect(() => world.attached.openDatagram("192.0.2.1", 65536)).toThrow(RangeError);
		expect(world.transcript).toEqual([]);
	});

	test("configurations that are none say what there is", () => {
		expect(() => modemOptions({ dialect: "hayes" })).toThrow(/quectel, u-blox, nordic, non-ip/);
		expect(() => modemOptions({ dialect: "toString" })).toThrow(/dialect/);
		expect(() => modemOptions({ dialect: "quectel", usim: "esim" })).toThrow(/soft, csim, cgla/);
		expect(() => modemOptions({ dialect: "quectel", apn: 'iot"\r' })).toThrow(/APN/);
		expect(modemOptions({ dialect: "quectel", apn: "iot.1nce.net", usim: "soft" }).card).toBeUndefined();
	});
});
