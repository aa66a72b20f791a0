// Asks and waits for the answer. A datagram can be lost on its way in either direction, so each request has a number,
// and one that was not answered in time is sent again, as a new message: no message is ever repeated under its COUNT.
import { provisionedClient } from "best/provisioned-client";
import { target } from "best/target";
import config from "mc/config";
import Timer from "timer";

const client = provisionedClient(target, (event) => trace(`${event.kind}\n`));
const request = new Uint8Array(2);
let timer: Timer | undefined;
let tries = 0;

client.onDownlink = (answer) => {
	// The HSE's "ok N" carries no number of ours. Where the application server has one, compare it here.
	trace(`answer to ${request[0]}: ${answer.length} octets\n`);
	if (timer !== undefined) Timer.clear(timer);
	timer = Timer.set(ask, Number(config.interval));
};

function ask(): void {
	request[0]++;
	tries = 0;
	transmit();
}

function transmit(): void {
	request[1] = ++tries;
	client.send(request).catch((error: Error) => trace(`not sent: ${error.message}\n`));
	// Ten seconds, twenty, forty: a network that is full is not helped by haste.
	timer = Timer.set(tries < 3 ? transmit : ask, 10_000 * 2 ** (tries - 1));
}

client.start().then(ask, (error: Error) => trace(`${error.message}\n`));
