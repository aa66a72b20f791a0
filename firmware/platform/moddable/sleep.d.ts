/** Of the SDK's module for the nRF52, which has no declarations of its own, what the firmware uses. */
declare module "sleep" {
	export const Sleep: {
		/** Index below 32; a signed word. */
		getRetainedValue(index: number): number;
		setRetainedValue(index: number, word: number): void;
		/** Milliseconds; ends in a reset. */
		deep(milliseconds: number): void;
	};
}
