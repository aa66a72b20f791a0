import type { Clock } from "../../ports/clock.js";
import { host } from "./natives.js";

export class HostClock implements Clock {
	now(): number {
		return host.now();
	}

	setDeadline(at: number | undefined): void {
		host.setAlarm(at);
	}

	get onDeadline(): (() => void) | undefined {
		return host.onAlarm;
	}

	set onDeadline(callback: (() => void) | undefined) {
		host.onAlarm = callback;
	}
}
