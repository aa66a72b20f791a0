/**
 * When which session is due: a binary heap in typed arrays. An entry is not moved when its session is due at another
 * time: a new one is added, and the old one is passed over, since it is not what the session says.
 */
export class Deadlines {
	private times = new Float64Array(64);
	private sessionIds = new Uint32Array(64);
	private size = 0;
	private readonly dueAt: (sessionId: number) => number;

	/** @param dueAt when a session is due; Infinity where it is not, or is no more */
	constructor(dueAt: (sessionId: number) => number) {
		this.dueAt = dueAt;
	}

	add(at: number, sessionId: number): void {
		if (this.size === this.times.length) this.makeRoom();
		this.times[this.size] = at;
		this.sessionIds[this.size] = sessionId;
		this.size++;
		this.rise(this.size - 1);
	}

	/** The time of the earliest session, Infinity where there is none. */
	earliest(): number {
		while (this.size > 0 && this.dueAt(this.sessionIds[0]) !== this.times[0]) this.drop();
		return this.size === 0 ? Number.POSITIVE_INFINITY : this.times[0];
	}

	/** Takes out the session that is due at {@link earliest}. */
	take(): number {
		const sessionId = this.sessionIds[0];
		this.drop();
		return sessionId;
	}

	private drop(): void {
		this.size--;
		this.times[0] = this.times[this.size];
		this.sessionIds[0] = this.sessionIds[this.size];
		this.sink(0);
	}

	/** Leaves out what has become wrong; grows where that does not halve the heap. */
	private makeRoom(): void {
		const { times, sessionIds, size } = this;
		this.size = 0;
		for (let i = 0; i < size; i++) {
			if (this.dueAt(sessionIds[i]) !== times[i]) continue;
			times[this.size] = times[i];
			sessionIds[this.size] = sessionIds[i];
			this.size++;
		}
		if (2 * this.size > times.length) {
			this.times = new Float64Array(2 * times.length);
			this.times.set(times);
			this.sessionIds = new Uint32Array(2 * times.length);
			this.sessionIds.set(sessionIds);
		}
		for (let i = (this.size >> 1) - 1; i >= 0; i--) this.sink(i);
	}

	private rise(from: number): void {
		let at = from;
		while (at > 0) {
			const parent = (at - 1) >> 1;
			if (this.times[parent] <= this.times[at]) return;
			this.swap(at, parent);
			at = parent;
		}
	}

	private sink(from: number): void {
		let at = from;
		for (;;) {
			const left = 2 * at + 1;
			let least = at;
			for (const child of [left, left + 1])
				if (child < this.size && this.times[child] < this.times[least]) least = child;
			if (least === at) return;
			this.swap(at, least);
			at = least;
		}
	}

	private swap(a: number, b: number): void {
		const { times, sessionIds } = this;
		[times[a], times[b]] = [times[b], times[a]];
		[sessionIds[a], sessionIds[b]] = [sessionIds[b], sessionIds[a]];
	}
}
