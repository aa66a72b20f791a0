import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "ws";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];

/** The browser of this machine; undefined where there is none. */
export function findBrowser(): string | undefined {
	for (const name of NAMES)
		try {
			return execFileSync("which", [name], { encoding: "utf8" }).trim();
		} catch {}
	console.warn("Chromium is missing: what needs a browser is skipped.");
	return undefined;
}

/** One page of a headless Chromium, by the DevTools protocol. */
export class Page {
	/** What went wrong on the page: exceptions, errors on its console, and what it was not allowed to load. */
	readonly errors: string[] = [];
	private readonly process: ChildProcess;
	private readonly folder: string;
	private readonly socket: WebSocket;
	private readonly waiting = new Map<number, (answer: { result?: unknown; error?: unknown }) => void>();
	private next = 0;

	private constructor(process: ChildProcess, folder: string, socket: WebSocket) {
		this.process = process;
		this.folder = folder;
		this.socket = socket;
		socket.on("message", (data) => this.receive(JSON.parse(String(data))));
	}

	static async open(browser: string): Promise<Page> {
		const folder = mkdtempSync(join(tmpdir(), "best-browser-"));
		const options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
		const process = spawn(
			browser,
			[...options, "--remote-debugging-port=0", `--user-data-dir=${folder}`, "about:blank"],
			{
				stdio: ["ignore", "ignore", "pipe"],
			},
		);
		const port = await new Promise<string>((resolve, reject) => {
			let text = "";
			process.stderr?.on("data", (part) => {
				text += part;
				const found = /DevTools listening on ws:\/\/127\.0\.0\.1:(\d+)\//.exec(text);
				if (found !== null) resolve(found[1]);
			});
			process.on("exit", () => reject(new Error(`The browser has ended: ${text.slice(-500)}`)));
		});
		const targets = (await (await fetch(`http://127.0.0.1:${port}/json`)).json()) as {
			type: string;
			webSocketDebuggerUrl: string;
		}[];
		const socket = new WebSocket(targets.find(({ type }) => type === "page")?.webSocketDebuggerUrl ?? "");
		await new Promise((resolve, reject) => socket.on("open", resolve).on("error", reject));
		const page = new Page(process, folder, socket);
		for (const domain of ["Page", "Runtime", "Log"]) await page.send(`${domain}.enable`);
		return page;
	}

	async go(uri: string): Promise<void> {
		await this.send("Page.navigate", { url: uri });
	}

	/** @param width in CSS pixels */
	async resize(width: number, isDark: boolean): Promise<void> {
		await this.send("Emulation.setDeviceMetricsOverride", {
			width,
			height: 800,
			deviceScaleFactor: 1,
			mobile: width < 600,
		});
		const features = [{ name: "prefers-color-scheme", value: isDark ? "dark" : "light" }];
		await this.send("Emulation.setEmulatedMedia", { features });
	}

	/** Presses a key that types nothing. */
	async press(key: "Tab"): Promise<void> {
		for (const type of ["rawKeyDown", "keyUp"])
			await this.send("Input.dispatchKeyEvent", { type, key, code: key, windowsVirtualKeyCode: 9 });
	}

	/** What the whole page looks like, as a PNG. */
	async picture(): Promise<Buffer> {
		const { data } = (await this.send("Page.captureScreenshot", { captureBeyondViewport: true })) as { data: string };
		return Buffer.from(data, "base64");
	}

	/** The value of an expression on the page. */
	// biome-ignore lint/suspicious/noExplicitAny: a page can give anything.
	async evaluate(expression: string): Promise<any> {
		const { result, exceptionDetails } = (await this.send("Runtime.evaluate", {
			expression,
			returnByValue: true,
			awaitPromise: true,
		})) as { result: { value: unknown }; exceptionDetails?: { exception?: { description?: string } } };
		if (exceptionDetails !== undefined) throw new Error(exceptionDetails.exception?.description ?? "exception");
		return result.value;
	}

	/** Waits until an expression is true. */
	async until(expression: string): Promise<void> {
		for (let i = 0; i < 600; i++) {
			if (await this.evaluate(expression)) return;
			await new Promise((resolve) => setTimeout(resolve, 25));
		}
		throw new Error(`The page did not come to this: ${expression}`);
	}

	async close(): Promise<void> {
		const ended = new Promise((resolve) => this.process.on("exit", resolve));
		// The browser ends its own processes; it does not answer any more.
		this.send("Browser.close").catch(() => {});
		await ended;
		this.socket.terminate();
		rmSync(this.folder, { recursive: true, force: true, maxRetries: 10 });
	}

	private send(method: string, params: object = {}): Promise<unknown> {
		const id = this.next++;
		this.socket.send(JSON.stringify({ id, method, params }));
		return new Promise((resolve, reject) =>
			this.waiting.set(id, ({ result, error }) =>
				error === undefined ? resolve(result) : reject(new Error(`${method}: ${JSON.stringify(error)}`)),
			),
		);
	}

	// biome-ignore lint/suspicious/noExplicitAny: the protocol's messages are looked at field by field.
	private receive(message: any): void {
		if (message.id !== undefined) {
			this.waiting.get(message.id)?.(message);
			this.waiting.delete(message.id);
		} else if (message.method === "Runtime.exceptionThrown")
			this.errors.push(message.params.exceptionDetails.exception?.description ?? "exception");
		else if (message.method === "Log.entryAdded" && message.params.entry.level === "error")
			this.errors.push(message.params.entry.text);
	}
}
