import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { AtEngine } from "../../firmware/modem/at-engine.js";
import { DIALECTS } from "../../firmware/modem/dialect.js";
import { COMPLETED, LineReader, LONGEST_LINE } from "../../firmware/modem/line-reader.js";
import { Pattern } from "../../firmware/modem/pattern.js";
import { ready, type Step } from "../../firmware/modem/step.js";
import { Values } from "../../firmware/modem/values.js";
import { seeded } from "../emsdp/arbitraries.js";
import type { Family } from "./scripted-modem.js";
import { World } from "./world.js";

/** Octets as modems send them, and others. */
const piece = fc.oneof(
	fc.constantFrom(
		...["\r\n", "\r", "\n", "OK", "ERROR", "+CME ERROR: 3", "> ", "@", "SEND OK", "AT", " ", '"', ",", ":"],
		...["+QIRD: 5", "+QIRD: 99999999999", '+USORF: 0,"",1,3,"414243"', "#XRECVFROM: 0,1,2", "4142", "+CMEE: 1"],
		...['+QIURC: "recv",0', "+UUSORF: 0,4", '+CRTDCP: 1,1,"41"', '+CSIM: 4,"9000"', "+QIOPEN: 0,0", "RDY"],
	),
	fc.string({ maxLength: 20 }),
	fc.uint8Array({ maxLength: 20 }).map((octets) => Buffer.from(octets).toString("latin1")),
);
const line = fc.array(piece, { maxLength: 20 }).map((pieces) => Buffer.from(pieces.join(""), "latin1"));

describe("the line reader", () => {
	test("gives the lines that are there, wherever they are cut", () => {
		fc.assert(
			fc.property(line, (octets) => {
				const reader = new LineReader();
				const lines: string[] = [];
				for (const octet of octets)
					if (reader.push(octet) === COMPLETED.line)
						lines.push(Buffer.from(reader.line.subarray(0, reader.end)).toString("latin1"));
				const text = octets.toString("latin1");
				const expected = text
					.slice(0, text.lastIndexOf("\n") + 1)
					.split("\n")
					.slice(0, -1)
					.map((one) => one.replace(/^[\r ]+|[\r ]+$/g, ""));
				expect(lines).toEqual(expected.filter((one) => one !== ""));
			}),
			seeded(100),
		);
	});

	test("takes an octet of 0 as any other where no prompt is waited for", () => {
		const reader = new LineReader();
		expect([0, 0x0d, 0x0a].map((octet) => reader.push(octet))).toEqual([0, 0, COMPLETED.line]);
		expect([reader.end, reader.line[0]]).toEqual([1, 0]);
	});

	test("drops a line that is too long, whole, and takes the next", () => {
		const reader = new LineReader();
		for (let i = 0; i < LONGEST_LINE + 1; i++) expect(reader.push(0x41)).toBe(COMPLETED.nothing);
		expect(reader.push(0x0a)).toBe(COMPLETED.nothing);
		for (let i = 0; i < LONGEST_LINE; i++) reader.push(0x42);
		expect(reader.push(0x0a)).toBe(COMPLETED.line);
		expect(reader.end).toBe(LONGEST_LINE);
	});

	test("a block of octets is what it is, line ends and prompts included", () => {
		const reader = new LineReader();
		reader.expectOctets(4);
		reader.prompt = 0x3e;
		const completed = [...Buffer.from("\r\n> ")].map((octet) => reader.push(octet));
		expect(completed).toEqual([COMPLETED.nothing, COMPLETED.nothing, COMPLETED.nothing, COMPLETED.octets]);
		expect(Buffer.from(reader.line.subarray(0, reader.end)).toString()).toBe("\r\n> ");
	});
});

test("patterns take fields with and without quotation marks, and nothing where the line does not fit as a whole", () => {
	const values = new Values(8);
	const match = (pattern: string, text: string) => {
		const octets = Buffer.from(text, "latin1");
		return new Pattern(pattern).matches(octets, octets.length, values);
	};
	values.socket = 3;
	expect(match('+QIURC: "recv",{=socket}', '+QIURC: "recv",3')).toBe(true);
	expect(match('+QIURC: "recv",{=socket}', '+QIURC:"recv", 3,20')).toBe(true);
	expect(match('+QIURC: "recv",{=socket}', '+QIURC: "recv",4')).toBe(false);
	expect(match('+QIURC: "recv",{=socket}', '+QIURC: "recv"')).toBe(false);
	expect(match("+USORF: *,*,*,{count},{hex}", '+USORF: 3,"1,2",9,2,"41zz"')).toBe(false);
	expect(values.count).toBe(0);
	expect(match("+USORF: *,*,*,{count},{hex}", '+USORF: 3,"1,2",9,2,"4142"')).toBe(true);
	expect([values.count, values.dataLength]).toEqual([2, 2]);
	expect(match("{session}", "+CEREG: 1")).toBe(false);
	expect(match("{session}", "41")).toBe(true);
	expect(match("{session}", "41,2")).toBe(false);
	expect(match("{session}", "99999999999")).toBe(false);
	expect(match("RDY", "RDY")).toBe(true);
	expect(match("RDY", "RDYX")).toBe(false);
	expect(() => new Pattern("+X: {nothing}")).toThrow(/{nothing}/);
	expect(() => ready({ command: "AT{nothing}" })).toThrow(/{nothing}/);
});

describe("a command that comes to nothing", () => {
	const sent = (engine: AtEngine) => Buffer.from(engine.output.subarray(0, engine.takeOutput())).toString("latin1");
	const say = (engine: AtEngine, now: number, text: string) => {
		const octets = Buffer.from(`\r\n${text}\r\n`, "latin1");
		engine.receive(now, octets, octets.length);
	};

	test("its late answer is passed over until the marker's answer, and that ends it", () => {
		const engine = new AtEngine(new Values(8), () => {});
		engine.begin(0, ready({ command: "AT+ONE", within: 100 }));
		expect(sent(engine)).toBe("AT+ONE\r");
		engine.handleTimeout(99);
		expect(sent(engine)).toBe("");
		engine.handleTimeout(100);
		expect(sent(engine)).toBe("\rAT+CMEE?\r");
		for (const late of ["OK", "ERROR", "+CME ERROR: 3", "OK"]) say(engine, 200, late);
		expect(engine.takeOutcome()).toBeUndefined();
		say(engine, 300, "+CMEE: 1");
		expect(engine.takeOutcome()).toBeUndefined();
		say(engine, 300, "OK");
		expect(engine.takeOutcome()).toBe("silent");
		expect(engine.deadline).toBeUndefined();
		// What still comes belongs to nothing.
		say(engine, 300, "OK");
		expect(engine.takeOutcome()).toBeUndefined();
	});

	test("a prompt that was lost: spaces fill up what the modem waits for, and nothing else does", () => {
		const values = new Values(8);
		values.payload = Buffer.from("secret");
		values.payloadLength = 6;
		const engine = new AtEngine(values, () => {});
		engine.begin(0, ready({ command: "AT+SEND", prompt: ">", within: 100 }));
		engine.takeOutput();
		engine.handleTimeout(100);
		expect(sent(engine)).toBe("\rAT+CMEE?\r");
		engine.handleTimeout(2100);
		expect(sent(engine)).toBe("      \rAT+CMEE?\r");
	});

	test("OK before the prompt is no success, and a prompt without a question is a line like others", () => {
		const values = new Values(8);
		values.payload = Buffer.from("payload");
		values.payloadLength = 7;
		const engine = new AtEngine(values, () => {});
		engine.begin(0, ready({ command: "AT+SEND", prompt: "@", pause: 50 }));
		engine.takeOutput();
		say(engine, 1, "OK");
		expect(engine.takeOutcome()).toBeUndefined();
		engine.receive(2, Buffer.from("\r\n@"), 3);
		expect(sent(engine)).toBe("");
		engine.handleTimeout(52);
		expect(sent(engine)).toBe("payload");
		engine.receive(53, Buffer.from("@\r\n"), 3);
		expect(sent(engine)).toBe("");
		say(engine, 54, "OK");
		expect(engine.takeOutcome()).toBe("done");
	});

	test("news that come before the final result count", () => {
		for (const [text, outcome] of [
			["+QIOPEN: 0,0", "done"],
			["+QIOPEN: 0,563", "refused"],
		]) {
			const values = new Values(8);
			const engine = new AtEngine(values, () => {});
			engine.begin(0, ready(DIALECTS.quectel.open[3]));
			say(engine, 1, text);
			expect(engine.takeOutcome()).toBeUndefined();
			say(engine, 2, "OK");
			expect(engine.takeOutcome()).toBe(outcome);
			if (outcome === "refused") expect(values.error).toBe(563);
		}
	});
});

const STEPS: readonly Step[] = Object.values(DIALECTS).flatMap((dialect) => [
	...dialect.open,
	dialect.send,
	...("receive" in dialect ? [dialect.receive] : []),
]);

test("whatever comes, the engine neither throws nor waits without a deadline, and a command comes to an end", () => {
	fc.assert(
		fc.property(
			fc.constantFrom(...STEPS),
			fc.array(fc.tuple(line, fc.nat(20_000)), { maxLength: 8 }),
			(step, input) => {
				const values = new Values(100);
				values.payload = new Uint8Array(20);
				values.payloadLength = 20;
				const engine = new AtEngine(values, () => {});
				let now = 0;
				engine.begin(now, ready(step));
				for (const [octets, wait] of input) {
					engine.receive(now, octets, octets.length);
					expect(engine.takeOutput()).toBeLessThanOrEqual(LONGEST_LINE);
					now += wait;
					engine.handleTimeout(now);
				}
				for (let i = 0; i < 10; i++) {
					const outcome = engine.takeOutcome();
					if (outcome !== undefined) return;
					expect(engine.deadline).toBeDefined();
					now = engine.deadline ?? 0;
					engine.handleTimeout(now);
				}
				throw new Error("the command has no end");
			},
		),
		seeded(100),
	);
});

test("an answer that is one command late: a modem that has a network is not asked for it without a pause", () => {
	const world = new World({ family: "nordic" });
	const { datagram } = world.open();
	world.time.pass(6);
	// Taken for the final result of what is being asked, whose own comes later.
	world.serial.deliver(Buffer.from("+CME ERROR: 3\r\n"));
	world.time.pass(60_000);
	const asked = world.transcript.filter((text) => text === "AT+CEREG?\r");
	expect(asked.length).toBeLessThan(10);
	datagram.write(Uint8Array.of(0xcc), 1);
	world.time.until(() => world.uplinks.some(({ datagram }) => datagram === "cc"));
});

describe.each<Family>(["quectel", "u-blox", "nordic", "non-ip"])("garbage on the line of a %s modem", (family) => {
	test("is survived, and datagrams go on afterwards", () => {
		fc.assert(
			fc.property(fc.array(line, { minLength: 1, maxLength: 6 }), fc.nat(1000), (garbage, wait) => {
				const world = new World({ family });
				const { datagram } = world.open();
				world.time.pass(wait % 60);
				for (const octets of garbage) {
					world.serial.deliver(octets);
					world.time.pass(wait);
				}
				world.serial.deliver(Buffer.from("\r\n"));
				world.time.pass(200_000);
				datagram.write(Uint8Array.of(0xaa, 0xbb), 2);
				datagram.write(Uint8Array.of(0xcc), 1);
				world.time.until(() => world.uplinks.some(({ datagram }) => datagram === "cc"));
			}),
			seeded(60),
		);
	});
});
