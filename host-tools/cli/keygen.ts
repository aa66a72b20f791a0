import { randomBytes } from "node:crypto";
import { closeSync, openSync, writeSync } from "node:fs";
import { deriveOpc } from "../../firmware/keys/milenage.js";
import { deriveTopc } from "../../firmware/keys/tuak.js";
import { fromHex, toHex } from "../hex.js";
import { generateHomeNetworkKey } from "../hse/home-network-key.js";
import { loadKernel } from "../kernel.js";
import { isKnown, refuseTestOrder } from "../provision/test-range.js";
import { Failure, UsageError } from "./errors.js";
import { type Command, choiceOption, imsiOption, numberOption, type Options, textOption } from "./options.js";
import { readOperatorKey } from "./secrets.js";

const KINDS = ["milenage", "tuak", "psk", "home-network-a", "home-network-b"] as const;
type Kind = (typeof KINDS)[number];

/** Makes the keys of one subscriber. */
async function maker(kind: Kind, options: Options): Promise<() => Record<string, string>> {
	const source = options.op;
	if (kind === "psk") {
		if (source !== undefined) throw new UsageError("--op does not go with pre-shared keys.");
		return () => ({ psk: randomBytes(32).toString("hex") });
	}
	const isTuak = kind === "tuak";
	const keyOctets = choiceOption(options, "key-bits", ["128", "256"], "128") === "256" ? 32 : 16;
	if (keyOctets === 32 && !isTuak) throw new UsageError("--key-bits is 256: MILENAGE takes 128; add --kind tuak.");
	const iterations = numberOption(options, "keccak-iterations", 1, 1, 255);
	const name = isTuak ? "topc" : "opc";
	if (typeof source !== "string")
		return () => ({
			k: randomBytes(keyOctets).toString("hex"),
			[name]: randomBytes(isTuak ? 32 : 16).toString("hex"),
			...(isTuak && { "aka-algorithm": "tuak", "keccak-iterations": String(iterations) }),
		});
	const op = fromHex(await readOperatorKey(isTuak ? "TOP" : "OP", source));
	if (isKnown(op) && options.test !== true)
		throw new UsageError("This OP is one that everybody knows: take a random one, or add --test.");
	const kernel = loadKernel();
	return () => {
		const k = Uint8Array.from(randomBytes(keyOctets));
		const opc = isTuak ? deriveTopc(k, op, iterations) : deriveOpc(kernel, k, op);
		return {
			k: toHex(k),
			[name]: toHex(opc),
			...(isTuak && { "aka-algorithm": "tuak", "keccak-iterations": String(iterations) }),
		};
	};
}

function homeNetworkKey(kind: Kind, options: Options): number {
	const { out } = options;
	if (typeof out !== "string") throw new UsageError("--out is missing: the file for the private key.");
	const { publicKey } = generateHomeNetworkKey(out, kind === "home-network-a" ? "a" : "b");
	console.log(JSON.stringify({ profile: kind === "home-network-a" ? "a" : "b", "public-key": toHex(publicKey) }));
	return 0;
}

/** The IMSI after so many others: the last digits count. */
function later(imsi: string, count: number): string {
	const next = (BigInt(imsi) + BigInt(count)).toString().padStart(imsi.length, "0");
	if (next.slice(0, 5) !== imsi.slice(0, 5))
		throw new UsageError(`--count leads out of the network of --imsi ${imsi}: take another range.`);
	return next;
}

export const keygen: Command = {
	name: "keygen",
	summary: "make keys: a JSON object on each line, as best provision --batch and --keys take them",
	options: {
		kind: { value: KINDS.join("|"), help: "what the keys are for (milenage)" },
		imsi: { value: "DIGITS", help: "of the first subscriber; the next ones count up" },
		count: { value: "N", help: "subscribers (1)" },
		op: { value: "FILE|-|prompt", help: "the operator's OP or TOP, from which OPc or TOPc is derived (random OPc)" },
		"key-bits": { value: "128|256", help: "of K; 256 with TUAK only (128)" },
		"keccak-iterations": { value: "N", help: "with TUAK: 1 to 255 (1)" },
		out: { value: "FILE", help: "a new file, for its owner only (standard output; needed for home network keys)" },
		test: { help: "allow test networks and an OP that everybody knows" },
	},
	example: "best keygen --imsi 901700000000001 --count 100 --op prompt --out best-keys.jsonl",
	async run(options) {
		const kind = choiceOption(options, "kind", KINDS, "milenage");
		if (kind === "home-network-a" || kind === "home-network-b") return homeNetworkKey(kind, options);
		const imsi = imsiOption(options);
		const count = numberOption(options, "count", 1, 1, 1_000_000_000);
		if (imsi !== undefined) {
			if (options.test !== true) refuseTestOrder({ imsi, keys: undefined });
			later(imsi, count - 1);
		}
		const make = await maker(kind, options);
		const path = textOption(options, "out", "");
		let output = 1;
		if (path !== "")
			try {
				output = openSync(path, "wx", 0o600);
			} catch (error) {
				const why = (error as NodeJS.ErrnoException).code;
				throw new Failure(`The file ${path} cannot be made (${why}): name one that does not exist yet.`);
			}
		for (let i = 0; i < count; i++)
			writeSync(output, `${JSON.stringify({ ...(imsi !== undefined && { imsi: later(imsi, i) }), ...make() })}\n`);
		if (output !== 1) closeSync(output);
		return 0;
	},
};
