import { Application } from "../../../application.js";
import type { Platform } from "../../../ports/platform.js";
import { provisionedClient } from "../../../provisioned-client.js";
import { takeReading, platform as target } from "../platform.js";
import { showScreen } from "./screen.js";
import { SessionView } from "./session-view.js";

const view = new SessionView(target.clock);
const platform: Platform = {
	...target,
	readings: view.watchReadings(target.readings),
	openDatagram: (address, port) => view.watchDatagram(target.openDatagram(address, port)),
};

const screen = showScreen({ view, send: takeReading });

try {
	const client = provisionedClient(platform, (event) => {
		view.tell(event);
		application.tell(event);
	});
	const application = new Application(platform, client);
	application.run();
} catch (error) {
	const why = error instanceof Error ? error.message : String(error);
	view.fail(why);
	platform.print(JSON.stringify({ event: "failed", why }));
}

export default screen;
