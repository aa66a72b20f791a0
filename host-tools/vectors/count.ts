import { REPLAY, ReceivedCount } from "../../firmware/emsdp/count.js";
import { expectEqual, type VectorCase } from "./vector-case.js";

/** The window of a receiver as 16 hex digits, as the vectors write it. */
export function windowHex(received: ReceivedCount): string {
	return [received.windowHigh, received.windowLow].map((word) => word.toString(16).padStart(8, "0")).join("");
}

/** Puts a receiver into a state. @param window 16 hex digits, null where the receiver has none */
export function setReceived(received: ReceivedCount, last: number, window: string | null): void {
	received.last = last;
	if (window === null) return;
	received.windowHigh = Number.parseInt(window.slice(0, 8), 16);
	received.windowLow = Number.parseInt(window.slice(8), 16);
}

export function checkCount(vector: VectorCase): void {
	const received = new ReceivedCount(vector.counter_bits, vector.trials);
	setReceived(received, vector.start.last, vector.start.window);
	vector.steps.forEach((step: VectorCase, index: number) => {
		const tried: number[] = [];
		const count = received.search(step.received_counter, (candidate) => {
			tried.push(candidate);
			return step.mac_good_for_sent_count && candidate === step.sent_count;
		});
		if (count >= 0) received.accept(count);
		const result = count >= 0 ? "accept" : count === REPLAY ? "replay" : "reject";
		const at = `step ${index + 1}: `;
		expectEqual(`${at}candidates`, tried, step.candidates_tried);
		expectEqual(`${at}result`, result, step.result);
		expectEqual(`${at}COUNT`, count >= 0 ? count : null, step.accepted_count ?? null);
		expectEqual(`${at}last`, received.last, step.last_after);
		if (step.window_after !== null) expectEqual(`${at}window`, windowHex(received), step.window_after);
	});
}
