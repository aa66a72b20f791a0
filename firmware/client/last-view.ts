/** Views of the first octets of a buffer, made anew only when the length changes: no allocation per message. */
export class LastView {
	readonly buffer: Uint8Array;
	private view: Uint8Array;

	constructor(buffer: Uint8Array) {
		this.buffer = buffer;
		this.view = buffer;
	}

	of(length: number): Uint8Array {
		if (this.view.length !== length) this.view = this.buffer.subarray(0, length);
		return this.view;
	}
}
