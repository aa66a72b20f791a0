// Plots: plain SVG, drawn anew at the size that the page has for them.
import { element, shape } from "./element.js";

const HEIGHT = 200;
const MARGIN = { left: 48, right: 12, top: 10, bottom: 30 };

/** Kinds of latency, each with a mark of its own: colour is not all that tells them apart. */
const KINDS = [
	["answer", "answer of the HSE"],
	["hand-over", "hand-over of an uplink"],
	["round trip", "round trip to the UE"],
];

/** Powers of ten around values. */
function decades(values) {
	const low = Math.floor(Math.log10(Math.min(...values)));
	const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
	return Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i));
}

/** Round numbers from 0 to a value. */
function steps(most) {
	const raw = most / 4;
	const power = 10 ** Math.floor(Math.log10(raw));
	const step = power * ([1, 2, 5].find((factor) => factor * power >= raw) ?? 10);
	return Array.from({ length: Math.ceil(most / step) + 1 }, (_, i) => i * step);
}

/** A number in few digits. */
function short(value) {
	return Number(value.toPrecision(3)).toLocaleString(undefined, { maximumSignificantDigits: 3 });
}

/**
 * Axes with their texts, and where a value goes.
 * @param svg what is drawn in: title and description are for those who do not see it
 */
function begin(svg, { title, description, xTitle, yTicks, isLogarithmic, most }) {
	const width = Math.max(200, svg.clientWidth);
	svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
	const right = width - MARGIN.right;
	const bottom = HEIGHT - MARGIN.bottom;
	const scale = isLogarithmic ? Math.log10 : Number;
	const [low, high] = [scale(yTicks[0]), scale(yTicks.at(-1))];
	const x = (value) => MARGIN.left + ((right - MARGIN.left) * value) / Math.max(1, most);
	const y = (value) => bottom - ((bottom - MARGIN.top) * (scale(value) - low)) / (high - low);
	const grid = yTicks.flatMap((tick) => [
		shape("line", { class: "grid", x1: MARGIN.left, x2: right, y1: y(tick), y2: y(tick) }),
		shape("text", { x: MARGIN.left - 6, y: y(tick) + 4, "text-anchor": "end" }, short(tick)),
	]);
	const titleId = `${svg.id}-name`;
	const descriptionId = `${svg.id}-description`;
	svg.setAttribute("aria-labelledby", `${titleId} ${descriptionId}`);
	svg.replaceChildren(
		shape("title", { id: titleId }, title),
		shape("desc", { id: descriptionId }, description),
		...grid,
		shape("text", { x: right, y: HEIGHT - 6, "text-anchor": "end" }, xTitle),
	);
	return { x, y };
}

function empty(svg, title, text) {
	begin(svg, { title, description: text, xTitle: "", yTicks: [0, 1], most: 1 });
	svg.append(shape("text", { x: MARGIN.left + 12, y: HEIGHT / 2 }, text));
}

function percentile(sorted, share) {
	return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

/** A mark: a circle, a square or a triangle, by the number of its kind. */
function mark(kind, x, y) {
	const attributes = { class: `mark series-${kind}` };
	if (kind === 0) return shape("circle", { ...attributes, cx: x, cy: y, r: 3 });
	if (kind === 1) return shape("rect", { ...attributes, x: x - 2.5, y: y - 2.5, width: 5, height: 5 });
	return shape("path", { ...attributes, d: `M${x} ${y - 4}L${x + 4} ${y + 3}H${x - 4}Z` });
}

/** A line or a mark beside a name, as in the plot. */
function key(drawn, name) {
	return element(
		"td",
		{},
		shape("svg", { class: "key", viewBox: "0 0 28 12", "aria-hidden": "true" }, drawn),
		` ${name}`,
	);
}

function row(...cells) {
	return element("tr", {}, ...cells);
}

function numbers(values) {
	return values.map((value) => element("td", { class: "number" }, value));
}

function headings(...names) {
	return row(...names.map((name, i) => element("th", { scope: "col", class: i > 0 ? "number" : "" }, name)));
}

/** @param latencies oldest first */
export function drawLatencies(svg, table, latencies) {
	const title = "Latencies in milliseconds, newest on the right";
	if (latencies.length === 0) {
		empty(svg, title, "nothing measured yet");
		table.replaceChildren();
		return;
	}
	const values = latencies.map(({ milliseconds }) => Math.max(0.01, milliseconds));
	const figures = KINDS.map(([kind, name], i) => {
		const sorted = latencies
			.filter((latency) => latency.kind === kind)
			.map(({ milliseconds }) => milliseconds)
			.sort((a, b) => a - b);
		return { kind, name, i, sorted };
	}).filter(({ sorted }) => sorted.length > 0);
	const description = figures
		.map(({ name, sorted }) => `${name}: ${sorted.length} of them, median ${short(percentile(sorted, 0.5))} ms`)
		.join("; ");
	const { x, y } = begin(svg, {
		title,
		description,
		xTitle: "ms, the newest on the right",
		yTicks: decades(values),
		isLogarithmic: true,
		most: latencies.length - 1,
	});
	svg.append(
		...latencies.map(({ kind }, i) =>
			mark(
				KINDS.findIndex(([known]) => known === kind),
				x(i),
				y(values[i]),
			),
		),
	);
	table.replaceChildren(
		headings("ms", "median", "p99", "max", "n"),
		...figures.map(({ name, i, sorted }) =>
			row(
				key(mark(i, 14, 6), name),
				...numbers([percentile(sorted, 0.5), percentile(sorted, 0.99), sorted.at(-1)].map(short)),
				...numbers([sorted.length.toLocaleString()]),
			),
		),
	);
}

/**
 * @param messages oldest first, those of the user plane with an energy for each protocol of the model
 */
export function drawEnergies(svg, table, messages, { protocols }) {
	const title = "Energy of all UP messages until now, in millijoules, for each protocol: a model";
	const onUserPlane = messages.filter(({ energy }) => energy?.length === protocols.length);
	if (onUserPlane.length === 0) {
		empty(svg, title, "no UP message yet");
		table.replaceChildren();
		return;
	}
	const sums = protocols.map((_, protocol) => {
		let sum = 0;
		return [0, ...onUserPlane.map(({ energy }) => (sum += energy[protocol] / 1000))];
	});
	const totals = sums.map((sum) => sum.at(-1));
	const description = protocols.map(({ name }, i) => `${name}: ${short(totals[i])} mJ`).join("; ");
	const { x, y } = begin(svg, {
		title,
		description,
		xTitle: "mJ, by UP messages",
		yTicks: steps(Math.max(...totals)),
		most: onUserPlane.length,
	});
	// The first of them on top.
	for (let i = sums.length - 1; i >= 0; i--) {
		const points = sums[i].map((value, at) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
		svg.append(shape("polyline", { class: `line series-${i}`, points }));
	}
	const control = messages.filter(({ energy }) => energy?.length === 1).reduce((sum, { energy }) => sum + energy[0], 0);
	const line = (i) => shape("polyline", { class: `line series-${i}`, points: "0,6 28,6" });
	table.replaceChildren(
		headings("protocol", "octets added", "mJ", "%"),
		...protocols.map(({ name, overhead }, i) =>
			row(
				key(line(i), name),
				...numbers([overhead ?? "10–16", short(totals[i]), String(Math.round((100 * totals[i]) / totals[0]))]),
			),
		),
		row(element("td", {}, "EMSDP control plane, beside it"), ...numbers(["", short(control / 1000), ""])),
	);
}
