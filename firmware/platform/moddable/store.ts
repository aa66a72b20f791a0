import type { Store } from "../../ports/store.js";

const KEY_LENGTH_LIMIT = 32;
const KEY_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789-";
const VALUE_LENGTH_LIMIT = 64 * 1024;

/** What is used of an open file. */
export interface StoreFile {
	/** @returns the number of octets read */
	read(buffer: Uint8Array, position: number): number;
	write(buffer: Uint8Array, position: number): void;
	flush(): void;
	status(): { readonly size: number };
	close(): void;
}

/** What is used of a directory. */
export interface StoreDirectory {
	createDirectory(path: string): boolean;
	openDirectory(options: { path: string }): StoreDirectory;
	openFile(options: { path: string; mode?: "r" | "w" }): StoreFile;
	move(from: string, to: string): void;
	delete(path: string): boolean;
	status(path: string): { isFile(): boolean };
}

export interface FileStoreOptions {
	/** The root directory that `embedded:storage/files` gives. */
	readonly files: StoreDirectory;
	/**
	 * The store's directory below the root; made where it is missing. The file system sets its permissions: where others
	 * use the same machine, make it beforehand for its owner only.
	 */
	readonly path: string;
}

function checkKey(key: string): void {
	let good = key.length > 0 && key.length <= KEY_LENGTH_LIMIT;
	for (const character of key) good &&= KEY_CHARACTERS.includes(character);
	if (!good) throw new RangeError(`A key has 1 to ${KEY_LENGTH_LIMIT} characters of a-z, 0-9 and "-".`);
}

/**
 * A {@link Store} of one file per key, which holds the value and nothing else. A value is written to a second file that
 * takes the first one's name once it is on the medium, so that a torn write leaves the older value.
 */
export class FileStore implements Store {
	readonly #directory: StoreDirectory;

	constructor(options: FileStoreOptions) {
		options.files.createDirectory(options.path);
		this.#directory = options.files.openDirectory({ path: options.path });
	}

	read(key: string): Uint8Array | undefined {
		checkKey(key);
		if (!this.#directory.status(key).isFile()) return undefined;
		const file = this.#directory.openFile({ path: key });
		try {
			const length = file.status().size;
			if (length > VALUE_LENGTH_LIMIT) throw new RangeError(`"${key}" in the store is too long.`);
			const value = new Uint8Array(length);
			if (file.read(value, 0) !== length) throw new Error(`"${key}" cannot be read from the store: it is cut off.`);
			return value;
		} finally {
			file.close();
		}
	}

	write(key: string, value: Uint8Array): void {
		checkKey(key);
		if (value.length > VALUE_LENGTH_LIMIT) throw new RangeError(`A value has at most ${VALUE_LENGTH_LIMIT} octets.`);
		// A dot is in no key, so this name is free.
		const temporary = `${key}.new`;
		const file = this.#directory.openFile({ path: temporary, mode: "w" });
		try {
			file.write(value, 0);
			file.flush();
			// A full medium takes a part and does not say so.
			if (file.status().size !== value.length) throw new Error(`"${key}" cannot be written to the store: it is full.`);
		} finally {
			file.close();
		}
		this.#directory.move(temporary, key);
	}

	delete(key: string): void {
		checkKey(key);
		this.#directory.delete(key);
	}
}
