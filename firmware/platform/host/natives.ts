/**
 * The global object `host` that a bundle finds on a PC: native functions of the XS host (the C files beside this one),
 * or the same in Node. Every function checks its arguments and throws TypeError or RangeError for wrong ones.
 */
export interface Host {
	/** What runs the kernels: "native" or "WebAssembly". */
	readonly kernelName: string;
	/** Octets of a key set of the kernels. */
	readonly kernelKeySetOctets: number;
	/** The kernels over buffers of the caller, in place, as {@link Kernel} describes each. */
	kernelSetKeys(keySet: Uint8Array, encryptionKey: Uint8Array, integrityKey: Uint8Array): void;
	kernelProtect(
		keySet: Uint8Array,
		message: Uint8Array,
		count: number,
		bearerAndDirection: number,
		cipherStart: number,
		length: number,
		macLength: number,
	): void;
	kernelUnprotect(
		keySet: Uint8Array,
		message: Uint8Array,
		count: number,
		bearerAndDirection: number,
		cipherStart: number,
		length: number,
		macLength: number,
	): boolean;
	kernelEncryptBlocks(keySet: Uint8Array, message: Uint8Array): void;
	kernelCtr(keySet: Uint8Array, message: Uint8Array, bitLength: number): void;
	kernelCmac(keySet: Uint8Array, message: Uint8Array, bitLength: number): void;
	/** Fills the kernels' scratch memory with zero. */
	kernelErase(): void;

	/**
	 * Opens a UDP socket that is connected to an IPv4 or IPv6 address (no name), in place of an earlier one.
	 * @throws Error if the address is none or the system has no way to it
	 */
	udpOpen(address: string, port: number): void;
	/** Sends `octets[0 .. length)`. A datagram that the network does not take is lost. @throws Error if no socket is open */
	udpWrite(octets: Uint8Array, length: number): void;
	/** @returns the length of the datagram as it was sent, even if `into` is shorter; −1 if none waits */
	udpRead(into: Uint8Array): number;
	udpClose(): void;
	/** Called while a datagram waits, again and again until it is read. */
	onReadable: ((count: number) => void) | undefined;

	/** Takes the next frame from standard input: two octets of length, big-endian, then as many octets.
	 * @returns the frame's length, even if `into` is shorter; −1 if no whole frame waits, −2 at the end of the input */
	inputRead(into: Uint8Array): number;
	/** Called while a whole frame waits, and once at the end of the input. */
	onInput: ((count: number) => void) | undefined;

	/** The path of the provisioning console, where this program was started with one; else empty. */
	readonly consolePath: string;
	/** Whether it was started as if somebody pressed the device's button. */
	readonly isButtonPressed: boolean;
	/** The path of the modem's line, and what the command line says of the modem; empty where it says nothing. */
	readonly modemPath: string;
	readonly modemDialect: string;
	readonly modemApn: string;
	readonly modemUsim: string;
	/**
	 * Copies octets that wait on a line into `into` and removes them.
	 * @param line 0 the console's, 1 the modem's
	 * @returns how many; 0 where none waits
	 */
	serialRead(line: number, into: Uint8Array): number;
	/** Sends `octets[0 .. length)`. What the line cannot take is lost. */
	serialWrite(line: number, octets: Uint8Array, length: number): void;
	/** Called while octets wait on the console's line, and on the modem's. */
	onSerial: ((count: number) => void) | undefined;
	onModem: ((count: number) => void) | undefined;

	/** Milliseconds since any fixed moment, with a fraction; never goes back. */
	now(): number;
	/** One alarm in terms of {@link now}, in place of an earlier one; undefined takes it back. */
	setAlarm(at: number | undefined): void;
	onAlarm: (() => void) | undefined;

	/** Fills `into` from the system's cryptographic source. @throws Error if it fails */
	random(into: Uint8Array): void;

	/** One line on standard output. */
	print(text: string): void;
	statistics(): HostStatistics;
	/** Ends the program. Without it, it ends once nothing can call the bundle any more. */
	exit(status: number): void;

	/**
	 * The store: one file per key of 1 to 32 characters of a–z, 0–9 and "-"; values of at most 65,536 octets.
	 * @throws Error if the file system fails
	 */
	storeRead(key: string): Uint8Array | undefined;
	/** Whole and on the medium when it returns; after a power cut the old or the new value is there. */
	storeWrite(key: string, value: Uint8Array): void;
	storeDelete(key: string): void;
}

/**
 * What the engine uses. On XS: octets of slots and chunks, as the engine counts them. Neither the stack nor the tables
 * of names nor the parser's memory is among them.
 */
export interface HostStatistics {
	/** "XS 13.3.0" */
	readonly engine: string;
	/** In use after a garbage collection made for this call (Node: in use now, Node's own included). */
	readonly heapBytes: number;
	/**
	 * The most that was in use, garbage not yet collected included: {@link slotPeakBytes} + {@link chunkPeakBytes}, which
	 * need not have been reached at the same moment. Node: the most that this function has seen.
	 */
	readonly heapPeakBytes: number;
	readonly slotPeakBytes?: number;
	readonly chunkPeakBytes?: number;
	/** Reserved from the C heap for slots, chunks and the stack, used or not. */
	readonly reservedBytes?: number;
	/** Slots in use after the collection; a slot has 32 octets on a PC and 16 on a 32-bit device. */
	readonly slots?: number;
	readonly slotBytes?: number;
	/** What was executed so far, in the engine's unit, modulo 2^32: the same in every run and on every processor. */
	readonly meter?: number;
}

/** Looked up once: a global costs more than a variable of the bundle. */
export const host: Host = (globalThis as unknown as { host: Host }).host;
