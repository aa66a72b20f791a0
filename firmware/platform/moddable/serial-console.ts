import type { Provisioning } from "../../ports/provisioning.js";
import type { Serial } from "../../ports/serial.js";
import { SerialConsole, type SerialConsoleOptions } from "../../provisioning/serial-console.js";
import { IoSerial, type IoSerialOptions } from "./serial.js";

/** What is used of an ECMA-419 digital input. */
export interface DigitalInput {
	read(): number;
	close(): void;
}

export interface IoConsoleOptions extends Omit<SerialConsoleOptions, "openSerial" | "isRequested"> {
	readonly serial: IoSerialOptions;
	/** Calls `action` once, later. */
	later(action: () => void, milliseconds: number): void;
	/** Opens the input of the button; it reads 0 while it is pressed, as the boot pins of the usual boards do. */
	openButton?(): DigitalInput;
}

/** Milliseconds in which the last answer gets out before the port is closed. */
const LAST_ANSWER = 1000;

/**
 * The provisioning console of a board. A provisioned device whose button is not pressed at the start leaves the port off,
 * which is what its battery wants; and once it has its identity the port is closed, for the modem may need the same one.
 */
export function ioConsole({ serial, openButton, later, ...options }: IoConsoleOptions): Provisioning {
	let line: Serial | undefined;
	const console = new SerialConsole({
		...options,
		openSerial(isOpen) {
			line = isOpen ? new IoSerial(serial) : undefined;
			return line;
		},
		isRequested() {
			const button = openButton?.();
			const isPressed = button?.read() === 0;
			button?.close();
			return isPressed;
		},
	});
	return {
		listen: ({ isUsable, onProvisioned }) =>
			console.listen({
				isUsable,
				onProvisioned: () => {
					later(() => {
						line?.close();
						onProvisioned();
					}, LAST_ANSWER);
				},
			}),
	};
}
