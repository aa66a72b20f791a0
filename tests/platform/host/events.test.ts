import { expect, test } from "@jest/globals";
import { describeHosts, linesOf, runScript } from "./hosts.js";

describeHosts((host) => {
	test("the alarm goes off once, not before its time, and a new one takes the place of the old one", async () => {
		const script = `
			const start = host.now();
			let count = 0;
			host.onAlarm = () => {
				const late = host.now() - at;
				host.print("alarm " + ++count + " " + (late >= 0 && late < 1000));
				if (count === 1) host.setAlarm(at = host.now() + 30);
				if (count === 2) host.setAlarm(at = start);
				if (count === 3) { host.setAlarm(host.now() + 10); host.setAlarm(undefined); }
			};
			let at = start + 20;
			host.setAlarm(start + 1e12);
			host.setAlarm(start + 1);
			host.setAlarm(at);`;
		expect(await linesOf(host, script)).toEqual(["alarm 1 true", "alarm 2 true", "alarm 3 true"]);
	});

	test("the time has a fraction and never goes back", async () => {
		const script = `
			let last = host.now(), fraction = false, back = false, step = 1e9;
			for (let i = 0; i < 10000; i++) {
				const now = host.now();
				if (now % 1 !== 0) fraction = true;
				if (now < last) back = true;
				if (now > last) step = Math.min(step, now - last);
				last = now;
			}
			host.print(fraction + " " + back + " " + (step < 0.1));`;
		expect(await linesOf(host, script)).toEqual(["true false true"]);
	});

	test("promise jobs run after each callback, before the next", async () => {
		const script = `
			host.onAlarm = () => {
				host.print("alarm");
				Promise.resolve().then(() => host.print("job 1")).then(() => host.print("job 2"));
			};
			host.onInput = () => {
				host.print("input " + host.inputRead(new Uint8Array(1)));
				host.onInput = undefined;
				(async () => {
					await undefined;
					host.print("job 3");
					host.setAlarm(0);
				})();
			};
			Promise.resolve().then(() => host.print("job 0"));
			host.print("script");`;
		const lines = await linesOf(host, script, { input: [Uint8Array.of(0, 0)] });
		expect(lines).toEqual(["script", "job 0", "input 0", "job 3", "alarm", "job 1", "job 2"]);
	});

	test("the program ends by itself once nothing can call the bundle", async () => {
		expect(await linesOf(host, `host.udpOpen("127.0.0.1", 9); host.onAlarm = () => {};`)).toEqual([]);
		expect(await linesOf(host, "host.setAlarm(host.now() + 1e9);")).toEqual([]);
	});

	test("exit ends the program at once with its status", async () => {
		const { status, lines } = await runScript(host, `host.print("a"); host.exit(7); host.print("b");`);
		expect([status, lines]).toEqual([7, ["a"]]);
	});

	test.each([
		["from the script", `throw new RangeError("too\\nlong");`, "RangeError: too long"],
		["from a callback", `host.onAlarm = () => { throw new Error("late"); }; host.setAlarm(0);`, "Error: late"],
		["from a promise", `(async () => { throw new TypeError("unseen"); })();`, "TypeError: unseen"],
		["from a promise job", `Promise.resolve().then(() => { throw new Error("job"); });`, "Error: job"],
		["of no class", `throw "text";`, "text"],
		["without a text", "throw { toString() { throw 1; } };", "an exception that has no text"],
	])("an exception that escapes %s ends the program with one line", async (_name, script, text) => {
		const { status, lines, errors } = await runScript(host, `host.print("before"); ${script}`);
		expect([status, lines, errors.length]).toEqual([1, ["before"], 1]);
		expect(errors[0].replace(/^(xs|node)-host: /, "")).toBe(text);
	});

	test("a rejection that is handled is none", async () => {
		const script = `Promise.reject(new Error("x")).catch((error) => host.print(error.message));`;
		expect(await linesOf(host, script)).toEqual(["x"]);
	});

	test("a script with an error of syntax ends with one line", async () => {
		const { status, errors } = await runScript(host, "let a = ;");
		expect([status, errors.length]).toEqual([1, 1]);
		expect(errors[0]).toContain("SyntaxError: ");
	});

	test("wrong use ends with 2 and one line", async () => {
		const missing = await runScript(host, "", { args: ["/nonexistent/bundle.js", "/tmp/best-none"] });
		expect([missing.status, missing.errors.length]).toEqual([2, 1]);
		const noStore = await runScript(host, "", { store: "/dev/null/store" });
		expect([noStore.status, noStore.errors.length]).toEqual([2, 1]);
	});

	test("nothing of Node or of a browser is there", async () => {
		const script = `
			host.print([typeof process, typeof require, typeof Buffer, typeof setTimeout, typeof queueMicrotask,
				typeof console, typeof WebAssembly, typeof TextEncoder, typeof fetch].join());`;
		expect(await linesOf(host, script)).toEqual([Array(9).fill("undefined").join()]);
	});

	test("text beyond ASCII is printed as UTF-8", async () => {
		expect(await linesOf(host, `host.print("grüß − 端末");`)).toEqual(["grüß − 端末"]);
	});
});
