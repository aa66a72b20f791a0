/**
 * Runs while the ROM image is made, after the firmware's modules: deletes every built-in property whose name occurs
 * nowhere in the firmware, so that neither it nor the engine's code behind it is in the image.
 */

/** Every name in the firmware, separated by spaces: put in by board-bundle.js. */
declare const NAMES: string;

/**
 * Names that the engine itself looks up (promises, iteration, conversion, errors, JSON, buffers), or the code that it
 * compiles syntax to: array literals call `fill`, for instance.
 */
const OF_THE_ENGINE =
	"fill throw caller undefined constructor prototype then resolve next done value return toString valueOf toJSON message name stack length cause " +
	"species iterator toPrimitive hasInstance lastIndex get set buffer byteLength byteOffset raw callee global globalThis " +
	"Object Function Array ArrayBuffer Error TypeError RangeError ReferenceError SyntaxError Promise Uint8Array start host";

const kept = new Set([...NAMES.split(" "), ...OF_THE_ENGINE.split(" ")]);
const seen = new Set<object>();
const doomed: [object, string][] = [];

function look(value: unknown): void {
	if ((typeof value !== "object" && typeof value !== "function") || value === null || seen.has(value)) return;
	seen.add(value);
	for (const name of Reflect.ownKeys(value)) {
		const descriptor = Reflect.getOwnPropertyDescriptor(value, name);
		if (descriptor === undefined) continue;
		const isNamed = typeof name === "symbol" || kept.has(name) || !Number.isNaN(Number(name));
		if (!isNamed && descriptor.configurable) doomed.push([value, name]);
		else {
			look(descriptor.value);
			look(descriptor.get);
			look(descriptor.set);
		}
	}
	look(Reflect.getPrototypeOf(value));
}

look(globalThis);
// Only now, since looking needs much of it. What deletes must not be looked up again.
const { deleteProperty } = Reflect;
for (let i = doomed.length; i-- > 0; ) deleteProperty(doomed[i][0], doomed[i][1]);
