/** Milliseconds of a batch that a quick medium takes no longer for. */
const QUICK = 2;
/** The medium is slow after so many slow batches more than quick ones, and quick again after as many quick ones. */
const MOST = 8;

/**
 * Whether the medium is quick enough to be waited for. One slow batch says little: the system, or the host of a virtual
 * machine, was busy with something else.
 */
export class MediumSpeed {
	private slow = 0;
	isQuick = true;

	/** @param milliseconds that a batch took */
	took(milliseconds: number): void {
		this.slow = Math.min(MOST, Math.max(0, this.slow + (milliseconds > QUICK ? 1 : -1)));
		if (this.slow === MOST) this.isQuick = false;
		else if (this.slow === 0) this.isQuick = true;
	}
}
