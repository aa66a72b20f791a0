import type { DigitalInput } from "./serial-console.js";

/** Pins and ports of a board under their names. */
type Ports = Readonly<Record<string, object>>;

/** What is used of ECMA-419's host provider, the global `device` of a board; the simulator has none. The SDK types it for the board it builds for. */
export interface HostProvider {
	readonly Serial?: Ports;
	/** As Zephyr's devicetree names them. */
	readonly serial?: Ports;
	readonly pin?: { readonly button?: number };
	readonly io?: {
		readonly Digital?: { readonly InputPullUp: number } & (new (options: object) => DigitalInput);
	};
}

/** `config` of the manifests, and of mcconfig's command line; there a number is a string. */
export type Settings = Readonly<Record<string, unknown>>;

/**
 * The serial port that `<use>Port`, `<use>Receive` and `<use>Transmit` describe: by the name that the board has for it,
 * "default" without one, and on other pins where these are given. In the simulator the port is the path of a terminal.
 * @param provider a {@link HostProvider}, or undefined
 * @param use "modem" or "console"
 * @returns the options that the class of `embedded:io/serial` takes beside the speed; undefined where there is no such port
 */
export function serialPort(provider: unknown, settings: Settings, use: string): object | undefined {
	const name = settings[`${use}Port`];
	if (name === "off") return undefined;
	if (provider === undefined) return name ? { device: String(name) } : undefined;
	const { Serial, serial } = provider as HostProvider;
	const port = (Serial ?? serial)?.[name ? String(name) : "default"];
	if (port === undefined) return undefined;
	const pins: Record<string, number> = {};
	for (const [pin, setting] of [
		["receive", settings[`${use}Receive`]],
		["transmit", settings[`${use}Transmit`]],
	] as const)
		if (setting !== undefined && setting !== "") pins[pin] = Number(setting);
	return { ...port, ...pins };
}

/** Opens the input of the board's button. @param provider a {@link HostProvider}, or undefined @returns undefined where it names none. */
export function buttonOf(provider: unknown): (() => DigitalInput) | undefined {
	const { io, pin: pins } = (provider ?? {}) as HostProvider;
	const Digital = io?.Digital;
	const pin = pins?.button;
	if (Digital === undefined || pin === undefined) return undefined;
	return () => new Digital({ pin, mode: Digital.InputPullUp });
}
