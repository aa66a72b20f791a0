import { IDENTITY_KEY } from "../client/identity.js";
import type { Kernel } from "../kernels/kernel.js";
import type { Provisioning, ProvisioningCallbacks } from "../ports/provisioning.js";
import type { Random } from "../ports/random.js";
import type { Serial } from "../ports/serial.js";
import type { Store } from "../ports/store.js";
import { Console } from "./console.js";

export interface SerialConsoleOptions {
	readonly kernel: Kernel;
	readonly random: Random;
	readonly store: Store;
	/** @param isOpen whether an identity would be taken @returns undefined where the line stays off */
	openSerial(isOpen: boolean): Serial | undefined;
	/** Whether somebody asks for another identity by a physical action: a button or a pin while the device starts. */
	isRequested(): boolean;
	/** A line of JSON for whoever watches the device: the fingerprint, and that it is provisioned. */
	print(text: string): void;
}

/** The provisioning console on a serial line. */
export class SerialConsole implements Provisioning {
	private readonly options: SerialConsoleOptions;
	private readonly buffer = new Uint8Array(64);

	constructor(options: SerialConsoleOptions) {
		this.options = options;
	}

	listen({ isUsable, onProvisioned }: ProvisioningCallbacks): boolean {
		const { kernel, random, store, print } = this.options;
		const isOpen = store.read(IDENTITY_KEY) === undefined || this.options.isRequested();
		const serial = this.options.openSerial(isOpen);
		if (serial === undefined) return false;
		const console = new Console({ kernel, random, store, isOpen, isUsable });
		if (isOpen) print(JSON.stringify({ event: "console open", fingerprint: console.fingerprint }));
		let waits = isOpen;
		serial.onReadable = () => {
			this.read(serial, console);
			if (!waits || !console.isProvisioned) return;
			waits = false;
			print(JSON.stringify({ event: "provisioned" }));
			onProvisioned();
		};
		return isOpen;
	}

	private read(serial: Serial, console: Console): void {
		const { buffer } = this;
		for (let count = serial.read(buffer); count > 0; count = serial.read(buffer))
			for (let i = 0; i < count; i++) {
				const length = console.take(buffer[i]);
				if (length > 0) serial.write(console.output, length);
			}
		buffer.fill(0);
	}
}
