import type { Provisioning } from "../../ports/provisioning.js";
import { SerialConsole, type SerialConsoleOptions } from "../../provisioning/serial-console.js";
import { IoSerial, type IoSerialOptions } from "./serial.js";

/** What is used of an ECMA-419 digital input. */
export interface DigitalInput {
	read(): number;
	close(): void;
}

export interface IoConsoleOptions extends Omit<SerialConsoleOptions, "openSerial" | "isRequested"> {
	readonly serial: IoSerialOptions;
	/** Opens the input of the button; it reads 0 while it is pressed, as the boot pins of the usual boards do. */
	openButton?(): DigitalInput;
}

/**
 * The provisioning console of a board. A provisioned device whose button is not pressed at the start leaves the port off,
 * which is what its battery wants.
 */
export function ioConsole({ serial, openButton, ...options }: IoConsoleOptions): Provisioning {
	return new SerialConsole({
		...options,
		openSerial: (isOpen) => (isOpen ? new IoSerial(serial) : undefined),
		isRequested() {
			const button = openButton?.();
			const isPressed = button?.read() === 0;
			button?.close();
			return isPressed;
		},
	});
}
