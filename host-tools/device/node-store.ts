import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { octetsArgument, stringArgument } from "./node-arguments.js";

const VALUE_LENGTH_LIMIT = 64 * 1024;

function keyArgument(value: unknown): string {
	const key = stringArgument(value, "key");
	if (!/^[a-z0-9-]{1,32}$/.test(key)) throw new RangeError('A key has 1 to 32 characters of a-z, 0-9 and "-".');
	return key;
}

function synchronise(path: string): void {
	const file = openSync(path, "r");
	try {
		fsyncSync(file);
	} finally {
		closeSync(file);
	}
}

function attempt<T>(what: string, action: () => T): T {
	try {
		return action();
	} catch (error) {
		throw new Error(`${what}: ${(error as Error).message}.`);
	}
}

/** `host.store…`: one file per key, as the XS host keeps them. */
export class NodeStore {
	readonly #directory: string;

	/** @throws Error if the directory can be neither opened nor made */
	constructor(directory: string) {
		this.#directory = directory;
		mkdirSync(directory, { recursive: true, mode: 0o700 });
	}

	read(key: unknown): Uint8Array | undefined {
		const name = keyArgument(key);
		return attempt(`"${name}" cannot be read from the store`, () => {
			try {
				return readFileSync(join(this.#directory, name));
			} catch (error) {
				if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
				throw error;
			}
		});
	}

	write(key: unknown, value: unknown): void {
		const name = keyArgument(key);
		const octets = octetsArgument(value, "value");
		if (octets.length > VALUE_LENGTH_LIMIT) {
			throw new RangeError(`A value has at most ${VALUE_LENGTH_LIMIT} octets.`);
		}
		// A dot is in no key, so this name is free.
		const temporary = join(this.#directory, `${name}.new`);
		attempt(`"${name}" cannot be written to the store`, () => {
			const file = openSync(temporary, "w", 0o600);
			try {
				if (writeSync(file, octets) !== octets.length) throw new Error("it was cut off");
				fsyncSync(file);
			} finally {
				closeSync(file);
			}
			renameSync(temporary, join(this.#directory, name));
			synchronise(this.#directory);
		});
	}

	delete(key: unknown): void {
		const name = keyArgument(key);
		attempt(`"${name}" cannot be deleted from the store`, () => {
			rmSync(join(this.#directory, name), { force: true });
			synchronise(this.#directory);
		});
	}
}
