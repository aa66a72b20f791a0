import { encodeIdentity, type Identity } from "../../firmware/client/identity.js";
import type { Kernel } from "../../firmware/kernels/kernel.js";
import { checkValues } from "../../firmware/provisioning/check-value.js";
import { toHex } from "../hex.js";
import { ConsoleClient, type Patience } from "./console-client.js";
import { DeviceFailure } from "./device-failure.js";
import type { Line } from "./line.js";

/** Check values for people: three octets each. */
export function checkText(kernel: Kernel, identity: Identity): string {
	return toHex(checkValues(kernel, identity.credentials)).replace(/.{6}(?=.)/g, "$&-");
}

export interface WriteOptions {
	readonly line: Line;
	readonly kernel: Kernel;
	readonly identity: Identity;
	/** Whether this is the device that is meant. Nothing secret has been sent before. */
	isRight(fingerprint: string): boolean | Promise<boolean>;
	/** Called before the secrets leave this machine: from here on the device may have them. */
	onHandOver?(): void;
	readonly patience?: Patience;
}

/**
 * Gives a device its identity over a line.
 * @returns the device's fingerprint
 * @throws DeviceFailure
 */
export async function writeIdentity(options: WriteOptions): Promise<string> {
	const { line, kernel, identity, patience } = options;
	const client = new ConsoleClient(line, kernel, patience);
	const record = encodeIdentity(identity);
	try {
		const fingerprint = await client.identify();
		if (!(await options.isRight(fingerprint)))
			throw new DeviceFailure(
				"not authentic",
				`The device has the fingerprint ${fingerprint}, which is not the one expected: nothing was sent to it.`,
			);
		await client.agree();
		options.onHandOver?.();
		const written = await client.write(record);
		if (toHex(written) !== toHex(checkValues(kernel, identity.credentials)))
			throw new DeviceFailure("refused", "The device has written other keys than were sent: provision it again.");
		return fingerprint;
	} finally {
		record.fill(0);
		client.erase();
	}
}
