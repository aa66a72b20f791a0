/**
 * The XS host's stand-in where there is no C compiler: the same bundle, the same global `host`, on Node's engine and
 * the WebAssembly kernel. It takes over its process.
 */
import { randomFillSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { type Context, createContext, runInContext, Script } from "node:vm";
import type { Host, HostStatistics } from "../../firmware/platform/host/natives.js";
import { loadKernel } from "../kernel.js";
import { numberArgument, octetsArgument, stringArgument, unsignedArgument } from "./node-arguments.js";
import { NodeInput } from "./node-input.js";
import { nodeKernel } from "./node-kernel.js";
import { NodeStore } from "./node-store.js";
import { NodeUdp } from "./node-udp.js";

const HOUR = 3600e3;

type Callback = "onReadable" | "onInput" | "onAlarm";

function end(line: unknown, status: number): never {
	process.stderr.write(`node-host: ${line}`.replace(/[\r\n]+/g, " ").concat("\n"));
	process.exit(status);
}

function textOf(thrown: unknown): string {
	try {
		return String(thrown);
	} catch {
		return "an exception that has no text";
	}
}

let heapPeakBytes = 0;

function statistics(): HostStatistics {
	const heapBytes = process.memoryUsage().heapUsed;
	heapPeakBytes = Math.max(heapPeakBytes, heapBytes);
	return { engine: `V8 ${process.versions.v8}`, heapBytes, heapPeakBytes };
}

/** The classes that the bundle knows: a context has its own, and instances from outside would not be theirs. */
interface Realm {
	readonly Error: ErrorConstructor;
	readonly TypeError: TypeErrorConstructor;
	readonly RangeError: RangeErrorConstructor;
	readonly Uint8Array: Uint8ArrayConstructor;
}

function inRealm(realm: Realm, native: (...given: unknown[]) => unknown) {
	return (...given: unknown[]) => {
		try {
			const result = native(...given);
			return result instanceof Uint8Array ? new realm.Uint8Array(result) : result;
		} catch (error) {
			const { message } = error as Error;
			if (error instanceof TypeError) throw new realm.TypeError(message);
			throw error instanceof RangeError ? new realm.RangeError(message) : new realm.Error(message);
		}
	};
}

/** The global object of the bundle: JavaScript's own, and `host`. */
function contextWith(natives: object, constants: object): { context: Context; host: Host } {
	const context = createContext({});
	// What XS does not have either.
	runInContext("delete globalThis.WebAssembly; delete globalThis.console;", context);
	const realm = runInContext("({ Error, TypeError, RangeError, Uint8Array })", context) as Realm;
	const host: Record<string, unknown> = { ...constants };
	for (const [name, native] of Object.entries(natives)) host[name] = inRealm(realm, native);
	context.host = host;
	return { context, host: host as unknown as Host };
}

/** Evaluates the bundle and calls it back as the XS host does. Ends the process for a failure: 1, or 2 for wrong use. */
export function runInNode(bundlePath: string, storeDirectory: string): void {
	let source = "";
	let store: NodeStore;
	try {
		source = readFileSync(bundlePath, "utf8");
	} catch {
		end(`the bundle ${bundlePath} cannot be read.`, 2);
	}
	try {
		store = new NodeStore(storeDirectory);
	} catch (error) {
		end(`${storeDirectory} cannot be used as a store: ${(error as Error).message}.`, 2);
	}
	const kernel = nodeKernel(loadKernel());
	const udp = new NodeUdp(() => settle());
	const input = new NodeInput(() => settle());
	let alarmAt = Number.POSITIVE_INFINITY;
	let alarm: NodeJS.Timeout | undefined;
	let turnIsDue = false;

	const { kernelName, kernelKeySetOctets, ...kernelNatives } = kernel;
	const natives = {
		...kernelNatives,
		udpOpen: (address: unknown, port: unknown) => udp.open(address, port),
		udpWrite: (octets: unknown, length: unknown) => udp.write(octets, length),
		udpRead: (into: unknown) => udp.read(into),
		udpClose: () => udp.close(),
		inputRead: (into: unknown) => input.read(into),
		now: () => performance.now(),
		setAlarm: (at: unknown) => {
			alarmAt = at === undefined ? Number.POSITIVE_INFINITY : numberArgument(at, "at");
		},
		random: (into: unknown) => {
			randomFillSync(octetsArgument(into, "into"));
		},
		print: (text: unknown) => {
			process.stdout.write(`${stringArgument(text, "text")}\n`);
		},
		statistics,
		exit: (status: unknown) => process.exit(unsignedArgument(status, "status", 255)),
		// They need a terminal, which Node cannot open as one: `consolePath` and `modemPath` are empty.
		serialRead: (line: unknown, into: unknown) => {
			unsignedArgument(line, "line", 1);
			octetsArgument(into, "into");
			return 0;
		},
		serialWrite: (line: unknown, octets: unknown, length: unknown) => {
			unsignedArgument(line, "line", 1);
			unsignedArgument(length, "length", octetsArgument(octets, "octets").length);
		},
		storeRead: (key: unknown) => store.read(key),
		storeWrite: (key: unknown, value: unknown) => store.write(key, value),
		storeDelete: (key: unknown) => store.delete(key),
	};

	const { context, host } = contextWith(natives, {
		kernelName,
		kernelKeySetOctets,
		consolePath: "",
		modemPath: "",
		modemDialect: "",
		modemApn: "",
		modemUsim: "",
		isButtonPressed: false,
	});

	function call(name: Callback): void {
		try {
			(host[name] as (count: number) => void)(1);
		} catch (error) {
			end(textOf(error), 1);
		}
	}

	/** One turn, as the XS host's loop takes them: each callback that has a reason, once. */
	function turn(): void {
		turnIsDue = false;
		if (host.onAlarm !== undefined && alarmAt <= performance.now()) {
			alarmAt = Number.POSITIVE_INFINITY;
			call("onAlarm");
		}
		if (host.onInput !== undefined && input.waits) {
			input.isTold();
			call("onInput");
		}
		if (host.onReadable !== undefined && udp.waits) call("onReadable");
		// Only then, because promise jobs may still set callbacks and the alarm.
		setImmediate(settle);
	}

	/** Prepares the next turn. Where nothing is left to wait for, the process ends by itself. */
	function settle(): void {
		udp.hold(host.onReadable !== undefined);
		input.hold(host.onInput !== undefined);
		clearTimeout(alarm);
		if (host.onAlarm !== undefined && alarmAt < Number.POSITIVE_INFINITY) {
			alarm = setTimeout(turn, Math.min(HOUR, Math.max(0, Math.ceil(alarmAt - performance.now()))));
		}
		const ready = (host.onInput !== undefined && input.waits) || (host.onReadable !== undefined && udp.waits);
		if (ready && !turnIsDue) setImmediate(turn);
		turnIsDue ||= ready;
	}

	process.on("unhandledRejection", (reason) => end(textOf(reason), 1));
	try {
		new Script(source, { filename: bundlePath }).runInContext(context);
	} catch (error) {
		end(textOf(error), 1);
	}
	setImmediate(settle);
}
