// Wakes, sends one reading, sleeps. The session goes on in retained memory: no message, no write to flash and no key
// derivation for a wake-up. Without retained memory, as after a power cut, start() resumes or agrees new keys.
import { provisionedClient } from "best/provisioned-client";
import { target } from "best/target";
import { power } from "best/target/power";
import config from "mc/config";
import Timer from "timer";

const snapshot = power.takeRetained();
trace(snapshot === undefined ? "started without a session\n" : "woke with a session\n");
const client = provisionedClient(target, (event) => trace(`${event.kind}\n`), snapshot);

function sleep(): void {
	// undefined while an answer is awaited: the next start resumes then.
	power.sleep(Number(config.interval), client.snapshot());
}

client
	.start()
	.then(() => client.send(Uint8Array.of(20, 5)))
	.then(() => trace("sent\n"))
	// The link must have sent it before the power goes, and an answer has this long to come.
	.then(() => void Timer.set(sleep, Number(config.listen)))
	.catch((error: Error) => {
		trace(`${error.message}\n`);
		sleep();
	});
