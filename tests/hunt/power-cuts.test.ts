import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { encodeImsi } from "../../firmware/emsdp/imsi.js";
import { TAG } from "../../firmware/emsdp/profile.js";
import { SQN_STEP, verifyAutn } from "../../firmware/keys/aka.js";
import { Milenage } from "../../firmware/keys/milenage.js";
import { AuthenticationCentre } from "../../host-tools/hse/authentication-centre.js";
import { HseDatabase } from "../../host-tools/hse/database.js";
import { loadKernel } from "../../host-tools/kernel.js";
import { SeededRandom } from "../support/pair.js";
import { type LinkModel, type Step, World, type WorldOptions } from "./world.js";

const GOOD_LINK: LinkModel = {
	lost: 0,
	copied: 0,
	spoilt: 0,
	heldUp: 0,
	heldUpFor: 1,
	least: 10,
	spread: 0,
	mtu: 1500,
};
/** By then a procedure is over, whatever was lost. */
const LONG = 200_000;

const step = (what: Step["what"], value = 0): Step => ({ what, value });
const times = (count: number, ...steps: Step[]) => Array.from({ length: count }, () => steps).flat();

interface Procedure {
	readonly name: string;
	/** What comes before, without a power cut. */
	readonly before: readonly Step[];
	readonly steps: readonly Step[];
	readonly options?: Partial<WorldOptions>;
}

const SESSION = [step("start"), step("wait", 1)];
const PROCEDURES: readonly Procedure[] = [
	{ name: "a new session", before: [], steps: SESSION },
	{
		name: "a new session after a resynchronisation of SQN",
		before: [],
		steps: SESSION,
		options: { sqn: 5 * SQN_STEP, sqnMs: 900 * SQN_STEP },
	},
	{ name: "a new session with a cookie", before: [step("load", 1)], steps: SESSION },
	{ name: "a new session beside one that exists", before: SESSION, steps: [step("new session"), step("wait", 1)] },
	{
		name: "data both ways over the end of a block of COUNTs",
		before: [...SESSION, ...times(60, step("send"))],
		steps: times(8, step("send"), step("answer"), step("wait")),
	},
	{ name: "a resume", before: SESSION, steps: [step("UE resumes"), step("wait", 1)] },
	{
		name: "a resume after a power cut",
		before: [...SESSION, step("send"), step("UE loses power")],
		steps: [step("start"), step("wait", 1)],
	},
	...[0, 1, 2].map((method) => ({
		name: `a key refresh that the UE asks for, method ${method}`,
		before: SESSION,
		steps: [step("UE asks for new keys", method), step("wait", 1), step("send"), step("answer"), step("wait", 1)],
	})),
	...[0, 1].map((method) => ({
		name: `a key refresh that the HSE offers, method ${method + 1}`,
		before: SESSION,
		steps: [step("HSE offers new keys", method), step("wait", 1), step("send"), step("answer"), step("wait", 1)],
	})),
	{
		name: "seven key refreshes, round to the first Key ID",
		before: SESSION,
		steps: times(8, step("HSE offers new keys", 1), step("wait", 1), step("send"), step("wait", 1)),
	},
	{ name: "the end by the UE", before: SESSION, steps: [step("UE ends the session"), step("wait", 1)] },
	{ name: "the end by the HSE", before: SESSION, steps: [step("HSE ends the session"), step("wait", 1)] },
];

/** Runs a procedure; the power of an end goes after so many outputs and parts of writes, and again while it starts anew. */
function play({ before, steps, options }: Procedure, end: "UE" | "HSE", cuts: readonly number[], scheme = 0): World {
	const world = new World({ seed: 1, link: GOOD_LINK, policy: { counterSchemes: [scheme] }, ...options });
	for (const each of before) world.perform(each);
	world.advance(1000);
	if (cuts.length > 0) world.cutSoon(end, cuts[0]);
	for (const each of steps) world.perform(each);
	for (const cut of cuts.slice(1)) {
		world.cutSoon(end, cut);
		world.perform(step("start"));
		world.perform(step("send"));
		world.advance(LONG);
	}
	return world;
}

/** The places of a procedure where the power of an end can go. */
function placesOf(procedure: Procedure, end: "UE" | "HSE"): number {
	const quiet = { ...procedure, steps: [] };
	return play(procedure, end, []).places[end] - play(quiet, end, []).places[end];
}

describe.each(["UE", "HSE"] as const)("the power of the %s goes", (end) => {
	describe.each(PROCEDURES.map((procedure) => [procedure.name, procedure] as const))("in %s", (_name, procedure) => {
		const places = placesOf(procedure, end);

		test("at every output and in every write: both ends come together again", () => {
			expect(places).toBeGreaterThan(0);
			for (let cut = 1; cut <= places; cut++)
				for (const scheme of [0, 1]) {
					const world = play(procedure, end, [cut], scheme);
					expect(world.powerCuts).toBeGreaterThan(0);
					world.mend();
					world.mustAgree();
				}
		});

		test("and a second time while it starts again", () => {
			for (let cut = 1; cut <= Math.min(places, 40); cut++)
				for (let second = 1; second <= 12; second++) {
					const world = play(procedure, end, [cut, second]);
					world.mend();
					world.mustAgree();
				}
		});
	});
});

describe("the authentication centre loses its power", () => {
	test("before or after an SQN is stored: none goes out twice", () => {
		const folder = mkdtempSync(join(tmpdir(), "best-centre-"));
		try {
			const path = join(folder, "hse.db");
			const kernel = loadKernel();
			const random = new SeededRandom(7);
			const imsi = "001010000000001";
			const k = random.octets(16);
			const opc = random.octets(16);
			const usim = new Milenage(kernel, k, opc);
			const first = new HseDatabase(path);
			first.addSubscriber({ imsi, k, opc, amf: Uint8Array.of(0x80, 0), sqn: SQN_STEP, enabled: true });
			first.close();
			const seen: number[] = [];
			for (let start = 0; start < 12; start++) {
				const database = new HseDatabase(path);
				const store = database.setSqn.bind(database);
				let left = 1 + (random.next() % 6);
				database.setSqn = (...subscriber) => {
					left--;
					if (left === 0 && start % 2 === 0) throw new Error("power cut");
					store(...subscriber);
					if (left === 0) throw new Error("power cut");
				};
				const centre = new AuthenticationCentre(kernel, database, () => random.octets(16));
				const ask = () =>
					centre.answer({
						number: 1,
						identity: { tag: TAG.imsi, value: encodeImsi(imsi) as Uint8Array },
						keyReference: undefined,
						resynchronisation: undefined,
					});
				while (left > 1) {
					const answer = ask();
					if (typeof answer !== "object" || !("vector" in answer)) throw new Error("no vector");
					const { rand, autn } = answer.vector;
					seen.push(verifyAutn(usim, rand, autn)?.sqn ?? -1);
				}
				expect(ask).toThrow("power cut");
				database.close();
			}
			expect(seen.length).toBeGreaterThan(12);
			expect(seen).not.toContain(-1);
			expect(new Set(seen).size).toBe(seen.length);
		} finally {
			rmSync(folder, { recursive: true });
		}
	});
});
