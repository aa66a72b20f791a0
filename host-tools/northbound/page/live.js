// The page of an HSE: sessions, messages and counters as they change. What it shows comes by server-sent events.

/** Messages that the page keeps. */
const KEPT = 2000;
const NO_SESSION = "00000000";

const sessions = new Map();
/** Messages, oldest first. */
let messages = [];
/** Session whose messages are shown; undefined: all. */
let chosen;

const byId = (id) => document.getElementById(id);

/** An element with attributes, and texts or elements in it. */
function element(name, attributes = {}, ...children) {
	const made = document.createElement(name);
	for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
	made.append(...children);
	return made;
}

function take(change) {
	if (change.kind === "session") sessions.set(change.session.sessionId, change.session);
	else if (change.kind === "over") {
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

function showSessions() {
	const rows = [...sessions.values()].map((session) => {
		const button = element(
			"button",
			{ class: "row", type: "button", "aria-current": String(session.sessionId === chosen) },
			element("strong", {}, session.imsi),
			element("br"),
			element(
				"span",
				{ class: "quiet" },
				`${session.sessionId} · ${session.state} · Key ID ${session.keyId} · ${session.easId}`,
			),
		);
		button.addEventListener("click", () => {
			chosen = chosen === session.sessionId ? undefined : session.sessionId;
			byId("ladder").replaceChildren();
			show();
		});
		return element("li", {}, button);
	});
	byId("sessions").replaceChildren(...rows);
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
		{ class: `row rung ${fromUe ? "up" : "down"}`, type: "button", "aria-expanded": "false" },
		element("span", { class: "arrow", "aria-label": fromUe ? "from the UE" : "to the UE" }, fromUe ? "──▶" : "◀──"),
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
	const wanted = messages.filter(({ sessionId }) => chosen === undefined || sessionId === chosen);
	const ladder = byId("ladder");
	const newest = Number(ladder.firstElementChild?.dataset.number ?? -1);
	for (const message of wanted) if (message.number > newest) ladder.prepend(rung(message));
	while (ladder.childElementCount > 400) ladder.lastElementChild.remove();
	byId("shown").textContent = chosen === undefined ? "of all sessions" : `of session ${chosen}`;
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
}

const source = new EventSource("live");
source.addEventListener("all", ({ data }) => {
	const all = JSON.parse(data);
	sessions.clear();
	messages = [];
	byId("ladder").replaceChildren();
	for (const session of all.sessions) sessions.set(session.sessionId, session);
	for (const message of all.messages) take({ kind: "message", message });
	showCounters(all.counters);
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
