import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { AuditFile } from "../../host-tools/hse/audit.js";
import { logTo } from "../../host-tools/log.js";
import { coreHsePort } from "../../host-tools/northbound/core-hse-port.js";
import { NorthboundServer } from "../../host-tools/northbound/server.js";
import { NorthboundFile } from "../../host-tools/northbound/settings.js";
import { IMSI, Pair } from "../support/pair.js";
import { findBrowser, Page } from "./browser.js";

const browser = findBrowser();
const inBrowser = browser === undefined ? describe.skip : describe;

/** A pair of UE and HSE whose messages a server shows. */
class Shown extends Pair {
	server: NorthboundServer | undefined;
	/** Milliseconds that the HSE seems to take for an answer. */
	answerTakes = 0.2;
	private told = 0;

	override deliverToHse(datagram = this.toHse.shift(), source = "127.0.0.1 5000") {
		if (datagram === undefined) throw new Error("nothing is on its way");
		const copy = datagram.slice();
		const at = performance.timeOrigin + performance.now();
		const before = this.toUe.length;
		// In the order of the server: what a datagram brings about comes after it.
		const verdict = this.hse.handleDatagram(this.now, source, datagram, datagram.length);
		this.server?.handleTraffic({ at, fromUe: true, peer: source, datagram: copy, verdict });
		this.drainHse();
		for (const sent of this.toUe.slice(before))
			this.server?.handleTraffic({
				at: at + this.answerTakes,
				fromUe: false,
				peer: source,
				datagram: sent,
				verdict: undefined,
			});
		return verdict;
	}

	override drainHse(): void {
		super.drainHse();
		while (this.told < this.hseEvents.length) this.server?.handleEvent(this.hseEvents[this.told++]);
	}
}

inBrowser("in a browser", () => {
	let page: Page;
	let folder: string;
	let pair: Shown;

	beforeAll(async () => {
		folder = mkdtempSync(join(tmpdir(), "best-page-"));
		pair = new Shown();
		pair.server = await NorthboundServer.start({
			hse: coreHsePort(pair.hse, {
				send: (sessionId, payload) => pair.hse.send(pair.now, sessionId, payload),
				refresh: (sessionId, method) => pair.hse.refresh(pair.now, sessionId, method),
				handedOver: async () => {},
				terminate: (sessionId, cause) => pair.hse.terminate(pair.now, sessionId, cause),
			}),
			verdicts: () => pair.hse.verdicts,
			sessionCount: () => pair.hse.sessionCount,
			logger: logTo({ write() {} }, "silent"),
			api: { address: "127.0.0.1", port: 0 },
			operations: { address: "127.0.0.1", port: 0 },
			database: join(folder, "northbound.db"),
			audit: new AuditFile(join(folder, "audit.jsonl"), Date.now),
			demoClient: join(folder, "client.json"),
			settings: NorthboundFile.parse({}),
		});
		page = await Page.open(browser ?? "");
	}, 60_000);

	afterAll(async () => {
		await page?.close();
		await pair.server?.close();
		rmSync(folder, { recursive: true });
	}, 60_000);

	test("the page of the HSE shows sessions and messages as they come, each field on click, counters and rejects", async () => {
		await page.resize(1200, false);
		await page.go(pair.server?.page ?? "");
		await page.until('document.getElementById("state")?.textContent === "Live."');
		pair.connect();
		pair.send("reading");
		pair.settle();
		const unknown = pair.send("x").slice();
		unknown[5] ^= 1;
		pair.toHse.length = 0;
		pair.deliverToHse(unknown);
		await page.until(`document.getElementById("sessions").textContent.includes("${IMSI}")`);
		await page.until('document.querySelectorAll("#ladder li").length === 6');
		await page.until('document.getElementById("rejects").textContent.includes("session unknown")');
		await page.until('document.getElementById("verdicts").textContent.includes("accept")');
		// The oldest message is at the end: the 10, which names the UE.
		await page.evaluate('document.querySelector("#ladder li:last-child button").click()');
		await page.until(`document.querySelector("#ladder .fields")?.textContent.includes("${IMSI}")`);
		await page.evaluate('document.querySelector("#sessions button").click()');
		// The request goes with the session that it began; what was of no session does not.
		await page.until('document.querySelectorAll("#ladder li").length === 4');
		pair.stop();
		pair.settle();
		await page.until('document.getElementById("state").textContent.includes("normal release")');
		await page.evaluate('document.getElementById("all").click()');
		await page.until('document.querySelectorAll("#ladder li").length === 8');
		expect(await page.evaluate('document.getElementById("all").checkVisibility()')).toBe(false);
		expect(page.errors).toEqual([]);
	}, 60_000);

	test("latencies and energies are plotted, with words for those who do not see them, and follow what is measured", async () => {
		const marks = "#latency > .mark.series-";
		const count = (kind: string) => page.evaluate(`document.querySelectorAll("${marks}${kind}").length`);
		const answers = (await count("0")) + 1;
		pair.connect();
		await page.until(`document.querySelectorAll("${marks}0").length === ${answers}`);
		const drawn = () =>
			page.evaluate('[...document.querySelectorAll("#energy .line")].map((line) => line.points.length)');
		const handOvers = await count("1");
		const [points] = await drawn();
		for (let i = 0; i < 3; i++) {
			pair.send("x".repeat(20));
			pair.settle();
		}
		await page.until(`document.querySelectorAll("#latency > .mark.series-1").length === ${handOvers + 3}`);
		expect(await count("0")).toBe(answers);
		expect(await drawn()).toEqual(new Array(4).fill(points + 3));
		// An answer that takes long is above those before it, since the axis goes upwards.
		pair.answerTakes = 5000;
		pair.stop();
		pair.settle();
		await page.until(`document.querySelectorAll("#latency > .mark.series-0").length === ${answers + 1}`);
		const heights = await page.evaluate(
			'[...document.querySelectorAll("#latency > .mark.series-0")].map((mark) => Number(mark.getAttribute("cy")))',
		);
		expect(heights.at(-1)).toBe(Math.min(...heights));
		expect(heights.at(-1)).toBeLessThan(heights[0]);
		// The ends of the lines are in the order of the overheads: 10, 34, 16, 23.
		const ends = await page.evaluate(
			'[...document.querySelectorAll("#energy .line")].reverse().map((line) => line.points[line.points.length - 1].y)',
		);
		expect([...ends].sort((a, b) => b - a)).toEqual([ends[0], ends[2], ends[3], ends[1]]);
		const [modelled, energies] = await page.evaluate(
			`(() => {
				const cells = [...document.querySelectorAll("#energy-figures tr")].map((row) => row.textContent);
				return [cells, document.querySelector("#energy desc").textContent];
			})()`,
		);
		expect(modelled[2]).toMatch(/DTLS 1\.2 with CID34/);
		expect(energies).toMatch(/^EMSDP: [\d.]+ mJ; DTLS 1\.2 with CID: [\d.]+ mJ/);
		for (const id of ["latency", "energy"]) {
			const named = await page.evaluate(
				`document.getElementById("${id}").getAttribute("aria-labelledby").split(" ").map((id) => document.getElementById(id).textContent)`,
			);
			for (const text of named) expect(text.length).toBeGreaterThan(10);
		}
		expect(await page.evaluate('document.getElementById("sources").textContent')).toContain("2022");
		expect(page.errors).toEqual([]);
	}, 60_000);

	test("by keyboard everything that opens can be reached, and the place in a list is kept as it changes", async () => {
		pair.answerTakes = 0.2;
		pair.connect();
		await page.until('document.querySelector("#sessions button") !== null');
		await page.evaluate('document.querySelector("#sessions button").focus()');
		const name = await page.evaluate("document.activeElement.dataset.session");
		pair.send("y");
		pair.settle();
		await page.until('document.querySelectorAll("#ladder li")[0].textContent.includes("UP message")');
		expect(await page.evaluate("document.activeElement.dataset.session")).toBe(name);
		const reached = new Set<string>();
		for (let i = 0; i < 60; i++) {
			await page.press("Tab");
			reached.add(
				await page.evaluate("document.activeElement.tagName + (document.activeElement.closest('[id]')?.id ?? '')"),
			);
		}
		for (const place of ["BUTTONladder", "SUMMARY"])
			expect([place, [...reached].some((one) => one.startsWith(place))]).toEqual([place, true]);
	}, 60_000);

	test("a message goes from the UE's line to the HSE's or back, in words too, and every heading says something", async () => {
		const rungs = await page.evaluate(
			`[...document.querySelectorAll("#ladder button")].map((rung) => {
				const line = getComputedStyle(rung, "::after");
				const head = getComputedStyle(rung, "::before");
				return [rung.classList.contains("up"), rung.textContent.includes("from the UE"), Number.parseFloat(line.width) / rung.offsetWidth, head.left === "0px", line.borderBottomStyle];
			})`,
		);
		expect(rungs.length).toBeGreaterThan(4);
		for (const [isUp, says, share, isHeadLeft] of rungs) {
			expect([says, isHeadLeft]).toEqual([isUp, !isUp]);
			expect(share).toBeGreaterThan(0.95);
		}
		expect(new Set(rungs.map(([, , , , style]: string[]) => style))).toEqual(new Set(["solid", "dashed"]));
		expect(
			await page.evaluate(
				'[...document.querySelectorAll("th")].filter((heading) => heading.textContent === "").length',
			),
		).toBe(0);
	}, 60_000);

	for (const width of [360, 1200])
		for (const isDark of [false, true])
			test(`at ${width} pixels, ${isDark ? "dark" : "light"}, nothing is wider than the page, and text can be told from the ground`, async () => {
				await page.resize(width, isDark);
				expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
				const [ink, ground] = await page.evaluate(
					"[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]",
				);
				expect(contrast(ink, ground)).toBeGreaterThan(7);
				expect(luminance(ground) < 0.5).toBe(isDark);
				if (process.env.BEST_PICTURES)
					writeFileSync(
						join(process.env.BEST_PICTURES, `${width}-${isDark ? "dark" : "light"}.png`),
						await page.picture(),
					);
			}, 60_000);

	test("the page of the BEST API asks for a token and sends a request", async () => {
		await page.resize(1200, false);
		await page.go(pair.server?.apiRoot ?? "");
		await page.until('document.querySelectorAll("#operations button").length > 10');
		const { client_secret } = JSON.parse(readFileSync(join(folder, "client.json"), "utf8"));
		await page.evaluate(`document.getElementById("secret").value = "${client_secret}"`);
		await page.evaluate('document.getElementById("token").click()');
		await page.until('document.getElementById("access").textContent.startsWith("Token")');
		const choose = (name: string) =>
			page.evaluate(
				`[...document.querySelectorAll("#operations button")].find((b) => b.textContent.startsWith("${name}")).click()`,
			);
		const send = () => page.evaluate('document.querySelector("#operation button").click()');
		await choose("ListSessions");
		// On a telephone it is far below: who chooses it is taken there.
		expect(await page.evaluate("document.activeElement.id")).toBe("operation-title");
		await send();
		await page.until('document.getElementById("answer").textContent.startsWith("200")');
		await choose("RequestSession");
		await page.evaluate(
			`document.querySelector("#operation textarea").value = '{"externalId": "001010000000009@ue.demo"}'`,
		);
		await send();
		await page.until('document.getElementById("answer").textContent.includes("WAITING_FOR_UE")');
		expect(page.errors).toEqual([]);
	}, 60_000);
});

/** Relative luminance (WCAG 2) of `rgb(…)`. */
function luminance(colour: string): number {
	const [red, green, blue] = [...colour.matchAll(/[\d.]+/g)].map(([text]) => {
		const part = Number(text) / 255;
		return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
	});
	return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
	const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
	return (high + 0.05) / (low + 0.05);
}
