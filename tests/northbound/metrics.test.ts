import { expect, test } from "@jest/globals";
import { Metrics } from "../../host-tools/northbound/metrics.js";

/** A sample line of the text format 0.0.4: name, labels, value. */
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)$/;

async function text(): Promise<string> {
	const metrics = new Metrics({
		verdicts: () => ({ accept: 3, "mac-failure": 1 }),
		sessions: () => 2,
		rejects: () => new Map([['of "no" cause\\', 1]]),
		waitingNotifications: () => 4,
	});
	for (const milliseconds of [0.05, 3, 3, 700, 60_000]) metrics.latency({ kind: "answer", milliseconds } as never);
	metrics.event("uplink");
	metrics.notification("delivered");
	metrics.request("ReadSession", 200, 3);
	return metrics.text();
}

test("metrics are in the text format of Prometheus: each described once, before its samples", async () => {
	const lines = (await text()).trimEnd().split("\n");
	const types = new Map<string, string>();
	const described = new Set<string>();
	for (const line of lines.filter((one) => one !== "")) {
		const [, word, name, rest] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
		if (word === "HELP") {
			expect([name, described.has(name)]).toEqual([name, false]);
			described.add(name);
		} else if (word === "TYPE") {
			expect([name, types.has(name), rest]).toEqual([
				name,
				false,
				expect.stringMatching(/^(?:counter|gauge|histogram|summary)$/),
			]);
			types.set(name, rest);
		} else {
			const [, sample, , value] = SAMPLE.exec(line) ?? [];
			// As Go's ParseFloat reads it: a mean of nothing is "Nan".
			expect([line, /^nan$/i.test(value) || !Number.isNaN(Number(value))]).toEqual([line, true]);
			const family = types.has(sample) ? sample : sample.replace(/_(?:bucket|sum|count)$/, "");
			expect([sample, described.has(family), types.has(family)]).toEqual([sample, true, true]);
		}
	}
	// As promtool asks: what is named a total counts up.
	for (const [name, type] of types) expect([name, name.endsWith("_total")]).toEqual([name, type === "counter"]);
});

test("the buckets of a histogram add up to its count", async () => {
	const lines = (await text()).split("\n").filter((line) => line.startsWith("best_hse_latency_seconds"));
	const buckets = lines
		.filter((line) => line.includes("_bucket"))
		.map((line) => [
			Number(/le="([^"]*)"/.exec(line)?.[1].replace("+Inf", "Infinity")),
			Number(line.split(" ").at(-1)),
		]);
	const sorted = buckets.toSorted(([one], [other]) => one - other);
	expect(buckets).toEqual(sorted);
	expect(buckets.map(([, count]) => count)).toEqual([1, 1, 1, 3, 3, 3, 3, 4, 4, 4, 5]);
	expect(
		lines
			.find((line) => line.includes("_count"))
			?.split(" ")
			.at(-1),
	).toBe("5");
});
