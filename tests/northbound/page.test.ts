import { mkdtempSync, readFileSync, rmSync } from "node:fs";
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
	private told = 0;

	override deliverToHse(datagram = this.toHse.shift(), source = "127.0.0.1 5000") {
		if (datagram === undefined) throw new Error("nothing is on its way");
		const copy = datagram.slice();
		const before = this.toUe.length;
		const verdict = super.deliverToHse(datagram, source);
		this.server?.handleTraffic({ fromUe: true, peer: source, datagram: copy, verdict });
		for (const sent of this.toUe.slice(before))
			this.server?.handleTraffic({ fromUe: false, peer: source, datagram: sent, verdict: undefined });
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
				send: (sessionId, payload) => pair.hse.send(sessionId, payload),
				refresh: (sessionId, method) => pair.hse.refresh(pair.now, sessionId, method),
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
		expect(page.errors).toEqual([]);
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
