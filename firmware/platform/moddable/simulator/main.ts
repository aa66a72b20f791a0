import type { Platform } from "../../../ports/platform.js";
import { run } from "../../../run.js";
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
run(platform, view);

export default screen;
