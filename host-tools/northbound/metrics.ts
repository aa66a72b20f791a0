import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Verdict } from "../../firmware/emsdp/verdict.js";
import type { Latency } from "./latencies.js";
import type { NotificationFate } from "./notifier.js";

/** What is read when metrics are asked for. */
export interface MetricSources {
	/** How many datagrams met each fate. */
	verdicts(): Readonly<Partial<Record<Verdict, number>>>;
	sessions(): number;
	/** Message Rejects that were sent, by cause. */
	rejects(): ReadonlyMap<string, number>;
	waitingNotifications(): number;
}

/** Gauges of prom-client with the name of a counter, which promtool complains of; the same by kind stay. */
const MISNAMED = ["nodejs_active_handles_total", "nodejs_active_requests_total", "nodejs_active_resources_total"];

/** Metrics for Prometheus. */
export class Metrics {
	readonly registry = new Registry();
	private readonly requests: Counter<"operation" | "status">;
	private readonly duration: Histogram<"operation">;
	private readonly notifications: Counter<"fate">;
	private readonly events: Counter<"kind">;
	private readonly latencies: Histogram<"kind">;

	constructor(sources: MetricSources) {
		const registers = [this.registry];
		collectDefaultMetrics({ register: this.registry });
		for (const name of MISNAMED) this.registry.removeSingleMetric(name);
		/** Shows values that are counted elsewhere. */
		const shown = (name: string, help: string, label: string, values: () => Iterable<readonly [string, number]>) =>
			new Counter({
				name,
				help,
				labelNames: [label],
				registers,
				collect() {
					this.reset();
					for (const [value, count] of values()) this.inc({ [label]: value }, count);
				},
			});
		const gauge = (name: string, help: string, value: () => number) =>
			new Gauge({
				name,
				help,
				registers,
				collect() {
					this.set(value());
				},
			});
		shown("best_hse_datagrams_total", "Datagrams received, by what became of them.", "verdict", () =>
			Object.entries(sources.verdicts()),
		);
		shown("best_hse_rejects_total", "Message Rejects sent, by cause.", "cause", () => sources.rejects());
		gauge("best_hse_sessions", "Sessions, and attempts that are not confirmed yet.", () => sources.sessions());
		gauge("best_northbound_notifications_waiting", "Notifications that wait.", () => sources.waitingNotifications());
		this.events = new Counter({
			name: "best_hse_events_total",
			help: "Events, by kind.",
			labelNames: ["kind"],
			registers,
		});
		this.latencies = new Histogram({
			name: "best_hse_latency_seconds",
			help: "Time to answer a UE (answer), to hand an uplink over (hand-over), and for a UE to answer (round trip).",
			labelNames: ["kind"],
			buckets: [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.25, 1, 5, 30],
			registers,
		});
		this.notifications = new Counter({
			name: "best_northbound_notifications_total",
			help: "Attempts to deliver notifications, by what became of them.",
			labelNames: ["fate"],
			registers,
		});
		this.requests = new Counter({
			name: "best_northbound_requests_total",
			help: "Requests of application servers, by operation and status.",
			labelNames: ["operation", "status"],
			registers,
		});
		this.duration = new Histogram({
			name: "best_northbound_request_seconds",
			help: "Time to answer, by operation.",
			labelNames: ["operation"],
			buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
			registers,
		});
	}

	event(kind: string): void {
		this.events.inc({ kind });
	}

	latency({ kind, milliseconds }: Latency): void {
		this.latencies.observe({ kind }, milliseconds / 1000);
	}

	notification(fate: NotificationFate): void {
		this.notifications.inc({ fate });
	}

	request(operation: string, status: number, milliseconds: number): void {
		this.requests.inc({ operation, status });
		this.duration.observe({ operation }, milliseconds / 1000);
	}

	/** In the text format of Prometheus. */
	text(): Promise<string> {
		return this.registry.metrics();
	}
}
