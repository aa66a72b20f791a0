// Sends a reading each time the interval is over. Where there is no session yet the client holds it until there is one.
import { provisionedClient } from "best/provisioned-client";
import { target } from "best/target";
import config from "mc/config";
import Timer from "timer";

const client = provisionedClient(target, (event) => trace(`${event.kind}\n`));
const reading = new Uint8Array(4);

function measure(): void {
	// A counter stands for the sensor.
	reading[3]++;
	client.send(reading).then(
		() => trace(`sent ${reading[3]}\n`),
		(error: Error) => trace(`not sent: ${error.message}\n`),
	);
}

client.start().then(
	() => Timer.repeat(measure, Number(config.interval)),
	(error: Error) => trace(`${error.message}\n`),
);
