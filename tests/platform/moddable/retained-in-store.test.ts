import { expect, test } from "@jest/globals";
import { RetainedInStore } from "../../../firmware/platform/moddable/retained-in-store.js";

test("what stands for retained memory is given out once, and what was given is erased", () => {
	const values = new Map<string, Uint8Array>();
	const store = {
		read: (key: string) => values.get(key)?.slice(),
		write: (key: string, value: Uint8Array) => void values.set(key, value.slice()),
		delete: (key: string) => void values.delete(key),
	};
	const slept: number[] = [];
	const open = () => new RetainedInStore({ store, onSleep: (milliseconds) => slept.push(milliseconds) });
	expect(open().takeRetained()).toBeUndefined();
	const secret = Uint8Array.of(1, 2, 3);
	open().sleep(5000, secret);
	expect(slept).toEqual([5000]);
	expect(secret).toEqual(new Uint8Array(3));
	expect(open().takeRetained()).toEqual(Uint8Array.of(1, 2, 3));
	expect(open().takeRetained()).toBeUndefined();
	open().sleep(10, undefined);
	expect(open().takeRetained()).toBeUndefined();
});
