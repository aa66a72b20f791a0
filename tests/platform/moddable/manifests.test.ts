import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { codeOf, importsOf, nameOf, type Project, readProject, root } from "./manifest.js";

const EXAMPLES = readdirSync(join(root, "firmware/examples")).map((name) => `firmware/examples/${name}/manifest.json`);
const MANIFESTS = ["manifest.json", ...EXAMPLES];

/** Platform, what the device reaches the network through, and the words of the error where it cannot work. */
const TARGETS: [string, string, RegExp?][] = [
	["lin", "udp"],
	["lin", "modem"],
	["mac", "udp"],
	["lin/m5paper", "udp"],
	["esp32/nodemcu", "wifi"],
	["esp32/nodemcu", "udp"],
	["zephyr/adafruit_feather_esp32s3_tft", "wifi"],
	["zephyr/esp32_ethernet_kit", "udp"],
	["esp32/nodemcu", "modem"],
	["esp32/esp32h2", "modem"],
	["esp32/esp32h2", "wifi", /has no Wi-Fi/],
	["nrf52/dk", "modem"],
	["zephyr/nrf52840dk", "modem"],
	["win", "wifi", /Windows/],
	["pico", "wifi", /this platform/],
];

/** Modules of the SDK. */
const OF_THE_SDK = new Set([
	"crypt",
	"embedded:io/serial",
	"embedded:io/socket/udp",
	"embedded:storage/files",
	"embedded:storage/key-value",
	"mc/config",
	"piu/MC",
	"sleep",
	"time",
	"timer",
]);

/** Where the example can sleep. */
const SLEEPS = /^(lin|mac|esp32|nrf52)/;

const each = MANIFESTS.flatMap((manifest) =>
	TARGETS.map(([platform, link, error]) => {
		const cannotSleep = manifest.includes("deep-sleep") && !SLEEPS.test(platform);
		return [manifest, platform, link, error ?? (cannotSleep ? /deep sleep/ : undefined)] as const;
	}),
);
const working = each.filter(([, , , error]) => error === undefined);
const project = (manifest: string, platform: string, link: string) =>
	readProject(manifest, platform, { BEST_LINK: link });

const codes = new Map<string, string>();
function code(path: string): string {
	let text = codes.get(path);
	if (text === undefined) {
		text = codeOf(path);
		codes.set(path, text);
	}
	return text;
}

/** The modules that are reached from some, by name. */
function reachedFrom(names: Iterable<string>, { modules }: Project): Set<string> {
	const reached = new Set<string>();
	const follow = (name: string) => {
		const path = modules.get(name);
		if (path === undefined || reached.has(name)) return;
		reached.add(name);
		for (const specifier of importsOf(code(path))) follow(nameOf(name, specifier));
	};
	for (const name of names) follow(name);
	return reached;
}

/**
 * What a preloaded module must not do when it runs: the machine that links it has no native functions, and what it makes
 * sits in flash, where a scratch array cannot be written.
 */
const CALLS_A_NATIVE =
	/^(?:export )?const \w+ = new (?:NativeKernel|TickClock|SystemRandom|FileStore|KeyValueStore|FlashStore|RetainedMemory|RetainedInStore|SimulatedReadings)\b/m;
const SCRATCH = /^(?:export )?(?:const|let) (\w+) = new (?:Uint|Int|Float|Big)\w*Array\(/gm;
/** Never written, nor handed to anybody who erases: fill() throws on what is in flash, of no octets too. */
const CONSTANT_ARRAYS = ["AMF_RESYNCHRONISATION", "NO_OCTETS"];
const writes = (name: string) =>
	new RegExp(`\\b(?:store|fill)\\(${name}\\b|\\b${name}(?:\\.(?:fill|set|sort|reverse|copyWithin)\\(|\\[\\w+\\] =)`);

test("there are the examples that the README names", () => {
	expect(EXAMPLES.length).toBeGreaterThanOrEqual(4);
	for (const manifest of EXAMPLES) expect(readFileSync(join(root, "README.md"), "utf8")).toContain(dirname(manifest));
});

describe.each(each)("%s for %s by %s", (manifest, platform, link, error) => {
	test(error === undefined ? "is no error" : "is an error that says why", () => {
		const { errors } = project(manifest, platform, link);
		if (error === undefined) expect(errors).toEqual([]);
		else expect(errors.join()).toMatch(error);
		for (const text of errors) expect(text).toMatch(/^BEST: .*[.]?$/);
	});
});

describe.each(working)("%s for %s by %s", (manifest, platform, link) => {
	const found = project(manifest, platform, link);
	const { modules, others, preload, missing } = found;

	test("names files that exist, except what npm run build makes", () => {
		expect(missing.filter((path) => !path.startsWith(join(root, "build")))).toEqual([]);
	});

	test("begins with a module that it has", () => {
		expect([...modules.keys()]).toContain(found.main);
	});

	test("has every module that one of its modules imports, under the name that the import means", () => {
		const unknown: string[] = [];
		for (const [name, path] of modules)
			for (const specifier of importsOf(code(path))) {
				const target = nameOf(name, specifier);
				const file = modules.get(target);
				if (file === undefined && !OF_THE_SDK.has(target)) unknown.push(`${name}: ${specifier}`);
				// TypeScript and Node look beside the file: it must be the same module, or one that stands in for it.
				if (file !== undefined && specifier.startsWith("./") && !target.startsWith("best/target/"))
					expect(existsSync(resolve(dirname(path), specifier.replace(/\.js$/, ".ts")))).toBe(true);
			}
		expect(unknown).toEqual([]);
	});

	test("has the C function of every native name", () => {
		const sources = [...others].filter((path) => path.endsWith(".c")).map((path) => readFileSync(path, "utf8"));
		let names = 0;
		for (const path of modules.values())
			for (const [, name] of code(path).matchAll(/\bnative\("(\w+)"\)/g)) {
				names++;
				expect(sources.filter((source) => source.includes(`\nvoid ${name}(xsMachine *the)\n`))).toHaveLength(1);
			}
		expect(names).toBeGreaterThan(5);
	});

	test("preloads modules that it has, and none that needs RAM or a native function while it is linked", () => {
		for (const name of preload) expect([...modules.keys()]).toContain(name);
		for (const name of reachedFrom(preload, found)) {
			const text = code(modules.get(name)!);
			expect([name, CALLS_A_NATIVE.test(text)]).toEqual([name, false]);
			for (const [, array] of text.matchAll(SCRATCH)) {
				expect(CONSTANT_ARRAYS).toContain(array);
				expect([name, writes(array).test(text)]).toEqual([name, false]);
			}
		}
	});

	test("preloads all of the client", () => {
		const atRunTime = [...reachedFrom([found.main], found)].filter((name) => !preload.has(name));
		expect(atRunTime.filter((name) => /^best\/(client|emsdp|keys|kernels)\b/.test(name))).toEqual([]);
	});
});
