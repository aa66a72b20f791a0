import { expect, test } from "@jest/globals";
import { LineBuffer } from "../../host-tools/cli/line-buffer";

test("lines of one turn are written together, in order; those of the next turn after them", async () => {
	const written: string[] = [];
	const lines = new LineBuffer((text) => written.push(text));
	lines.add("one");
	lines.add("two");
	expect(written).toEqual([]);
	await new Promise(setImmediate);
	lines.add("three");
	await new Promise(setImmediate);
	expect(written).toEqual(["one\ntwo\n", "three\n"]);
});

test("what there is goes out before the end, once", async () => {
	const written: string[] = [];
	const lines = new LineBuffer((text) => written.push(text));
	lines.add("last");
	lines.flush();
	lines.flush();
	await new Promise(setImmediate);
	expect(written).toEqual(["last\n"]);
});
