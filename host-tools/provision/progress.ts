/** How far a batch is, on standard error, where that is a terminal. */
export class Progress {
	failed = 0;
	private done = 0;
	private skipped = 0;
	private readonly total: number | undefined;
	private readonly began = performance.now();
	private shownAt = 0;

	/** @param total rows, where that is known */
	constructor(total: number | undefined) {
		this.total = total;
	}

	count(isGood: boolean): void {
		this.done++;
		if (!isGood) this.failed++;
		if (performance.now() - this.shownAt > 100) this.show();
	}

	skip(): void {
		this.skipped++;
	}

	end(): void {
		this.show();
		if (process.stderr.isTTY && this.done > 0) process.stderr.write("\n");
	}

	private show(): void {
		if (!process.stderr.isTTY) return;
		this.shownAt = performance.now();
		const { done, skipped, failed, total } = this;
		const gone = done + skipped;
		const share = total === undefined || total === 0 ? 0 : Math.min(1, gone / total);
		const bar = total === undefined ? "" : `[${"#".repeat(Math.round(20 * share)).padEnd(20)}] `;
		const rate = (1000 * done) / Math.max(1, this.shownAt - this.began);
		const text = `${bar}${gone}${total === undefined ? "" : `/${total}`} devices, ${failed} failed, ${rate.toFixed(1)}/s`;
		process.stderr.write(`\r${text}\u001b[K`);
	}
}
