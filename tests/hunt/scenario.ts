import { AGREEMENT, ALGORITHM, SERVICE } from "../../firmware/emsdp/profile.js";
import { SeededRandom } from "../support/pair.js";
import { type ACTIONS, type LinkModel, type Step, World, type WorldOptions } from "./world.js";

/** How often each thing is done, of 100. */
const WEIGHTS: Readonly<Record<keyof typeof ACTIONS, number>> = {
	start: 10,
	"new session": 3,
	send: 25,
	answer: 15,
	"UE asks for new keys": 6,
	"HSE offers new keys": 6,
	"UE resumes": 4,
	"UE ends the session": 2,
	"HSE ends the session": 2,
	"UE loses power": 3,
	"UE loses power soon": 4,
	"HSE restarts": 1,
	"HSE loses power soon": 1,
	"UE moves": 3,
	load: 3,
	wait: 12,
};
const DECK = (Object.keys(WEIGHTS) as (keyof typeof ACTIONS)[]).flatMap((what) =>
	new Array<typeof what>(WEIGHTS[what]).fill(what),
);
const MOST_STEPS = 60;
const ANY_ALGORITHM = (1 << ALGORITHM.snow3g) | (1 << ALGORITHM.aes) | (1 << ALGORITHM.zuc);
/** Milliseconds between two steps. */
const PAUSE = 60;

/** One run: who the two ends are, how bad the link is, and what is done. */
export interface Scenario {
	readonly options: WorldOptions;
	readonly steps: readonly Step[];
}

/** The scenario of a seed. */
export function scenarioOf(seed: number): Scenario {
	const random = new SeededRandom(Math.imul(seed + 1, 0x9e3779b1));
	// Neighbouring states of xorshift are alike at first.
	for (let i = 0; i < 8; i++) random.next();
	const below = (bound: number) => (random.next() >>> 4) % bound;
	const upTo = (bound: number) => (below(3) === 0 ? 0 : below(bound));
	const link: LinkModel = {
		lost: upTo(400),
		copied: upTo(300),
		spoilt: upTo(200),
		heldUp: upTo(200),
		heldUpFor: 1 + below(60_000),
		least: below(200),
		spread: below(3) === 0 ? below(3000) : 0,
		mtu: below(8) === 0 ? 200 : 1500,
	};
	const encryption = below(6) === 0 ? 1 + below(3) : ALGORITHM.aes;
	const integrity = below(6) === 0 ? 1 + below(3) : ALGORITHM.aes;
	const options: WorldOptions = {
		seed,
		link,
		service: below(3) === 0 ? SERVICE.integrity : SERVICE.confidential,
		agreement: below(3) === 0 ? AGREEMENT.umtsAka : AGREEMENT.epsAka,
		offer: { encryptionAlgorithms: ANY_ALGORITHM | 1, integrityAlgorithms: ANY_ALGORITHM },
		policy: {
			counterSchemes: [below(3)],
			// M = 8 goes with AES only.
			macLengths: [below(3) === 0 && integrity === ALGORITHM.aes ? 8 : 4],
			encryptionAlgorithms: [encryption, ALGORITHM.null],
			integrityAlgorithms: [integrity],
			lifetime: below(4) === 0 ? 120 + below(3600) : 0,
		},
	};
	const count = 10 + below(MOST_STEPS - 9);
	const steps: Step[] = [{ what: "start", value: 0 }];
	while (steps.length < count) steps.push({ what: DECK[below(DECK.length)], value: below(1 << 16) });
	return { options, steps };
}

/** Runs a scenario to its end. @throws Error where something that must hold does not */
export function run({ options, steps }: Scenario): World {
	const world = new World(options);
	for (const step of steps) {
		world.perform(step);
		world.advance(PAUSE);
	}
	world.mend();
	world.mustAgree();
	return world;
}

function failureOf(scenario: Scenario): string | undefined {
	try {
		run(scenario);
		return undefined;
	} catch (error) {
		return error instanceof Error ? error.message : String(error);
	}
}

/** Takes away what a list can lose while `fails` holds: halves first, then single entries. */
function shrink<T>(list: readonly T[], fails: (shorter: readonly T[]) => boolean): readonly T[] {
	let left = list;
	for (let size = Math.ceil(left.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2))
		for (let at = 0; at < left.length; ) {
			const shorter = [...left.slice(0, at), ...left.slice(at + size)];
			if (fails(shorter)) left = shorter;
			else at += size;
		}
	return left;
}

/** The smallest scenario that fails as this one does: fewer steps, fewer faults of the link. */
export function smallest(scenario: Scenario): Scenario {
	let { options, steps } = scenario;
	for (let before = -1; before !== steps.length; ) {
		before = steps.length;
		steps = shrink(steps, (shorter) => failureOf({ options, steps: shorter }) !== undefined);
		const faults = faultsOf({ options, steps });
		const left = shrink(
			faults,
			(fewer) => failureOf({ options: { ...options, faults: new Set(fewer) }, steps }) !== undefined,
		);
		options = { ...options, faults: new Set(left) };
	}
	return { options, steps };
}

function faultsOf({ options, steps }: Scenario): readonly string[] {
	const world = new World(options);
	try {
		for (const step of steps) {
			world.perform(step);
			world.advance(PAUSE);
		}
		world.mend();
	} catch {
		// It is run for its faults only.
	}
	return world.faults.happened;
}

/** What a person needs to see a failure again. */
export function report(seed: number): string {
	const { options, steps } = smallest(scenarioOf(seed));
	const { link, service, agreement, policy } = options;
	return [
		`seed ${seed}: ${failureOf({ options, steps })}`,
		`The smallest case: ${JSON.stringify({ service, agreement, ...policy, least: link.least, spread: link.spread })}`,
		...steps.map(({ what, value }) => `  ${what} (${value})`),
		`Faults of the link: ${[...(options.faults ?? [])].join(", ") || "none"}`,
	].join("\n");
}

/** Runs the scenarios of seeds `from` to `to` − 1. @throws Error with the smallest case of the first that fails */
export function hunt(from: number, to: number): { readonly protectedMessages: number; readonly powerCuts: number } {
	let protectedMessages = 0;
	let powerCuts = 0;
	for (let seed = from; seed < to; seed++) {
		let world: World;
		try {
			world = run(scenarioOf(seed));
		} catch {
			throw new Error(report(seed));
		}
		protectedMessages += world.recorder.protectedMessages;
		powerCuts += world.powerCuts;
	}
	return { protectedMessages, powerCuts };
}
