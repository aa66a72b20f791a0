// The page of an HSE: sessions, messages, counters and plots as they change. What it shows comes by server-sent events.
import { element } from "./element.js";
import { drawEnergies, drawLatencies } from "./plots.js";

/** Messages and latencies that the page keeps, and what of them and of the sessions it lists. */
const KEPT = 2000;
const LATENCIES_KEPT = 500;
const MOST_RUNGS = 400;
const MOST_SESSIONS = 200;
const NO_SESSION = "00000000";

const sessions = new Map();
/** Messages, oldest first. */
let messages = [];
let latencies = [];
let model;
/** Session whose messages are shown; undefined: all. */
let chosen;

const byId = (id) => document.getElementById(id);

function take(change) {
	if (change.kind === "session") sessions.set(change.session.sessionId, change.session);
	else if (change.kind === "latency") {
		latencies.push(change.latency);
		if (latencies.length > LATENCIES_KEPT) latencies = latencies.slice(-LATENCIES_KEPT);
	} else if (change.kind === "over") {
		sessions.delete(change.sessionId);
		if (chosen === change.sessionId)
			byId("state").textContent = `Session ${change.sessionId} is over: ${change.cause}.`;
	} else {
		const { message } = change;
		messages.push(message);
		if (messages.length > KEPT) messages = messages.slice(-KEPT);
		// A request comes before its session: it belongs to the one whose 11 answers it.
		if (message.name.startsWith("11") && !message.fromUe)
			for (const earlier of messages.slice(-20))
				if (earlier.sessionId === NO_SESSION && earlier.peer === message.peer) earlier.sessionId = message.sessionId;
	}
}

/** @param sessionId undefined: all. A session that is over stays chosen: what it did is still to be read. */
function choose(sessionId) {
	chosen = sessionId;
	byId("all").hidden = chosen === undefined;
	byId("ladder").replaceChildren();
	show();
}

function showSessions() {
	const rows = [...sessions.values()].slice(-MOST_SESSIONS).map((session) => {
		const button = element(
			"button",
			{
				class: "row",
				type: "button",
				"aria-pressed": String(session.sessionId === chosen),
				"data-session": session.sessionId,
			},
			element("strong", {}, session.imsi),
			element("br"),
			element(
				"span",
				{ class: "quiet" },
				`${session.sessionId} · ${session.state} · Key ID ${session.keyId} · ${session.service} · ${session.mode} · ${session.easId}`,
			),
		);
		button.addEventListener("click", () => choose(chosen === session.sessionId ? undefined : session.sessionId));
		return element("li", {}, button);
	});
	const focused = document.activeElement?.dataset.session;
	byId("sessions").replaceChildren(...rows);
	// Who goes through the list by keyboard stays where he is.
	if (focused !== undefined) byId("sessions").querySelector(`[data-session="${focused}"]`)?.focus();
}

/** What the HSE did with a message. */
function fate({ fromUe, verdict }) {
	if (!fromUe) return "";
	if (verdict === "accept") return "accepted";
	if (verdict === "repetition") return "repeated: the cached answer went out again";
	if (verdict === "hint") return "taken as a hint";
	if (verdict === "reject") return "rejected";
	return `dropped: ${verdict}`;
}

function rung(message) {
	const { number, fromUe, name, octets, time } = message;
	const isBad = fromUe && !["accept", "repetition", "hint"].includes(message.verdict);
	const button = element(
		"button",
		{ class: `row rung ${fromUe ? "up" : "down"}${isBad ? " lost" : ""}`, type: "button", "aria-expanded": "false" },
		element("span", { class: "unseen" }, fromUe ? "from the UE: " : "to the UE: "),
		element("span", {}, name, " ", element("span", { class: isBad ? "bad" : "quiet" }, fate(message))),
		element("span", { class: "quiet" }, `${octets} octets · ${new Date(time).toLocaleTimeString()}`),
	);
	const item = element("li", { "data-number": number }, button);
	button.addEventListener("click", () => explain(number, item, button));
	return item;
}

async function explain(number, item, button) {
	const open = item.querySelector(".fields");
	button.setAttribute("aria-expanded", String(open === null));
	if (open !== null) {
		open.remove();
		return;
	}
	const answer = await fetch(`live/messages/${number}`);
	const box = element("div", { class: "fields" });
	if (answer.ok) {
		const { hex, fields } = await answer.json();
		const rows = fields.map(({ offset, length, name, value, mark, section }) =>
			element(
				"tr",
				{},
				element("td", { class: "number quiet" }, length > 1 ? `${offset}–${offset + length - 1}` : String(offset)),
				element("td", {}, element("strong", {}, name), element("br"), element("code", {}, value)),
				element("td", { class: "quiet" }, `${mark}, section ${section}`),
			),
		);
		box.append(element("code", {}, hex.replace(/../g, "$& ")), element("table", {}, ...rows));
	} else box.append("This message is no longer kept.");
	item.append(box);
}

/** Adds the messages that are not shown yet, newest first. */
function showMessages() {
	const wanted = messages.filter(isChosen);
	const ladder = byId("ladder");
	const newest = Number(ladder.firstElementChild?.dataset.number ?? -1);
	for (const message of wanted.slice(-MOST_RUNGS)) if (message.number > newest) ladder.prepend(rung(message));
	while (ladder.childElementCount > MOST_RUNGS) ladder.lastElementChild.remove();
	for (const shown of document.querySelectorAll(".shown"))
		shown.textContent = chosen === undefined ? "of all sessions" : `of session ${chosen}`;
}

function isChosen({ sessionId }) {
	return chosen === undefined || sessionId === chosen;
}

function showPlots() {
	if (model === undefined) return;
	drawLatencies(byId("latency"), byId("latency-figures"), latencies.filter(isChosen));
	drawEnergies(byId("energy"), byId("energy-figures"), messages.filter(isChosen), model);
}

function showModel() {
	byId("wake-up").textContent =
		`A wake-up costs about ${Math.round(model.wakeUp)} mJ besides, whatever protects the data: often more than the messages.`;
	byId("sources").replaceChildren(
		...model.sources.map(({ figure, publication, year }) => element("li", {}, `${figure}: ${publication} (${year})`)),
	);
}

function showCounters({ verdicts, rejects, sessions: count, notifications }) {
	const table = (id, values, none) => {
		const rows = Object.entries(values).map(([name, value]) =>
			element("tr", {}, element("td", {}, name), element("td", { class: "number" }, value.toLocaleString())),
		);
		byId(id).replaceChildren(
			...(rows.length > 0 ? rows : [element("tr", {}, element("td", { class: "quiet" }, none))]),
		);
	};
	table("verdicts", verdicts, "none yet");
	table("rejects", rejects, "none");
	byId("session-count").textContent = count.toLocaleString();
	byId("state").dataset.waiting = notifications;
}

function show() {
	showSessions();
	showMessages();
	showPlots();
}

byId("all").addEventListener("click", () => choose(undefined));
new ResizeObserver(showPlots).observe(byId("latency"));

const source = new EventSource("live");
source.addEventListener("all", ({ data }) => {
	const all = JSON.parse(data);
	sessions.clear();
	messages = [];
	latencies = all.latencies;
	model = all.model;
	byId("ladder").replaceChildren();
	for (const session of all.sessions) sessions.set(session.sessionId, session);
	for (const message of all.messages) take({ kind: "message", message });
	showCounters(all.counters);
	showModel();
	show();
	byId("state").textContent = "Live.";
});
source.addEventListener("changes", ({ data }) => {
	const { changes, skipped, counters } = JSON.parse(data);
	for (const change of changes) take(change);
	showCounters(counters);
	if (changes.length > 0) show();
	if (skipped > 0) byId("state").textContent = `Live; ${skipped} messages were too many to show.`;
});
source.addEventListener("error", () => {
	byId("state").textContent = "The HSE does not answer; trying again.";
});
