/** Milliseconds of a batch that a quick medium takes no longer for. */
const QUICK = 5;
/** So many slow batches one after another tell of a slow medium: some are the system's, or the host's of a virtual machine. */
const SLOW_ONES = 16;
/** So many quick ones one after another tell that it is quick again. */
const QUICK_ONES = 2;

/** Whether the medium is quick enough to be waited for. */
export class MediumSpeed {
	isQuick = true;
	/** Batches one after another that say the contrary. */
	private contrary = 0;

	/** @param milliseconds that a batch took */
	took(milliseconds: number): void {
		this.contrary = milliseconds <= QUICK === this.isQuick ? 0 : this.contrary + 1;
		if (this.contrary < (this.isQuick ? SLOW_ONES : QUICK_ONES)) return;
		this.isQuick = !this.isQuick;
		this.contrary = 0;
	}
}
