import { describe, expect, test } from "@jest/globals";
import { buttonOf, type HostProvider, serialPort } from "../../../firmware/platform/moddable/host-provider.js";

const UART = { port: 1, receive: 3, transmit: 1 };
const ESP32: HostProvider = { Serial: { default: UART } };
const ZEPHYR: HostProvider = {
	serial: { default: { port: "uart0" }, uart0: { port: "uart0" }, uart1: { port: "uart1" } },
};

describe("a serial port for", () => {
	test.each<[string, HostProvider | undefined, Record<string, unknown>, object | undefined]>([
		["a board's default", ESP32, {}, UART],
		["a setting left empty", ESP32, { modemPort: "", modemReceive: "", modemTransmit: "" }, UART],
		["other pins", ESP32, { modemReceive: "16", modemTransmit: 17 }, { port: 1, receive: 16, transmit: 17 }],
		["pin 0", ESP32, { modemReceive: 0 }, { ...UART, receive: 0 }],
		["somebody else's setting", ESP32, { consolePort: "off", consoleReceive: 5 }, UART],
		["Zephyr's name", ZEPHYR, { modemPort: "uart1" }, { port: "uart1" }],
		["Zephyr's default", ZEPHYR, {}, { port: "uart0" }],
		["a name that there is not", ZEPHYR, { modemPort: "uart7" }, undefined],
		["a board without ports", {}, {}, undefined],
		["off", ESP32, { modemPort: "off" }, undefined],
		["the simulator", undefined, { modemPort: "/dev/ttyUSB0" }, { device: "/dev/ttyUSB0" }],
		["the simulator without a terminal", undefined, { modemPort: "" }, undefined],
	])("%s", (_, provider, settings, port) => {
		expect(serialPort(provider, settings, "modem")).toEqual(port);
	});
});

test("the button is an input with a pull-up, opened when it is asked", () => {
	const opened: object[] = [];
	class Digital {
		static InputPullUp = 2;
		constructor(options: object) {
			opened.push(options);
		}
		read() {
			return 0;
		}
		close() {}
	}
	const open = buttonOf({ pin: { button: 11 }, io: { Digital } });
	expect(opened).toEqual([]);
	expect(open?.().read()).toBe(0);
	expect(opened).toEqual([{ pin: 11, mode: 2 }]);
	expect(buttonOf({ pin: { button: 11 } })).toBeUndefined();
	expect(buttonOf({ io: { Digital } })).toBeUndefined();
	expect(buttonOf(undefined)).toBeUndefined();
});
