/** Time and one alarm. */
export interface Clock {
	/** Milliseconds since any fixed moment; never goes back. */
	now(): number;
	/** Calls `onDeadline` once at `at` (in terms of {@link now}) or soon after; undefined takes the alarm back. */
	setDeadline(at: number | undefined): void;
	onDeadline: (() => void) | undefined;
}
