/** Prints what the natives of the board do; see board.test.ts. */
import { host } from "../../../firmware/platform/host/natives.js";

function failureOf(action: () => void): string {
	try {
		action();
	} catch (error) {
		return String(error);
	}
	return "no failure";
}

function hex(octets: Uint8Array | undefined): string {
	return octets === undefined ? "nothing" : octets.join(" ");
}

const four = new Uint8Array(4);
host.random(four);
host.print(`random ${hex(four)}`);
host.random(four);
host.print(`random ${hex(four)}`);
host.print(failureOf(() => host.random(four)));

host.print(`given ${hex(host.storeRead("given"))}`);
host.print(`unknown ${hex(host.storeRead("unknown"))}`);
host.storeWrite("given", Uint8Array.of(9, 8));
host.print(`given ${hex(host.storeRead("given"))}`);
host.storeDelete("given");
host.print(`given ${hex(host.storeRead("given"))}`);
host.storeWrite("kept", Uint8Array.of(0));
// More than two pages hold: the old values are dropped.
for (let i = 1; i <= 2000; i++) host.storeWrite("kept", Uint8Array.of(i >> 8, i));
host.print(`kept ${hex(host.storeRead("kept"))}`);
host.print(failureOf(() => host.storeWrite("Kept", four)));
host.print(failureOf(() => host.storeWrite("long", new Uint8Array(1025))));
host.print(failureOf(() => host.udpOpen("::1", 1)));
host.print(failureOf(() => host.udpOpen("127.0.0.1", 0)));
host.print(failureOf(() => host.udpWrite(four, 5)));

const start = host.now();
host.onAlarm = () => {
	host.onAlarm = undefined;
	host.print(host.now() - start >= 20 ? "the alarm, in time" : "the alarm, too early");
};
host.setAlarm(start + 20);
