import { expect, test } from "@jest/globals";
import { describeXs, linesOf, runScript } from "./hosts.js";

describeXs((host) => {
	test.each([
		[
			"slots",
			"const all = []; for (;;) all.push({});",
			/^xs-host: memory is exhausted: no room for (slots|chunks) in \d+ octets/,
		],
		[
			"chunks",
			"const all = []; for (;;) all.push(new Uint8Array(50000));",
			/^xs-host: memory is exhausted: no room for chunks/,
		],
		["the stack", "function deeper() { deeper(); } deeper();", /^xs-host: the stack is exhausted: /],
	])("when %s run out, one line says so", async (_name, script, line) => {
		const { status, errors } = await runScript(host, script);
		expect(status).toBe(1);
		expect(errors).toEqual([expect.stringMatching(line)]);
	});

	test("garbage does not run out of memory", async () => {
		const script = "for (let i = 0; i < 5000; i++) new Uint8Array(50000 + i);";
		expect(await linesOf(host, script)).toEqual([]);
	});

	test("statistics: memory in use is below its peak, and the peak below what is reserved", async () => {
		const script = `
			let garbage = [];
			for (let i = 0; i < 3000; i++) garbage.push({ i });
			garbage = undefined;
			host.print(JSON.stringify(host.statistics()));`;
		const [line] = await linesOf(host, script);
		const statistics = JSON.parse(line);
		expect(statistics.engine).toMatch(/^XS \d+\.\d+\.\d+$/);
		expect(statistics.heapBytes).toBeGreaterThan(50_000);
		expect(statistics.heapBytes).toBeLessThan(statistics.heapPeakBytes);
		expect(statistics.heapPeakBytes).toBe(statistics.slotPeakBytes + statistics.chunkPeakBytes);
		expect(statistics.heapPeakBytes).toBeLessThan(statistics.reservedBytes);
	});

	test("the meter gives the same in every run", async () => {
		const script = `
			const text = JSON.stringify({ a: [1, 2, 3].map((x) => x * 2) });
			host.print(String(host.statistics().meter));`;
		const [first] = await linesOf(host, script);
		const [second] = await linesOf(host, script);
		expect(Number(first)).toBeGreaterThan(10);
		expect(second).toBe(first);
	});
});
