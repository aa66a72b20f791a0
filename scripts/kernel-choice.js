/**
 * Which native kernel the XS host and the board get: the constant-time one, unless BEST_KERNEL=table asks for the one with
 * tables (docs/kernels.md tells where that is safe).
 */
const CHOICES = { "constant-time": [], table: ["-DBEST_KERNEL_TABLES"] };

export const kernelChoice = process.env.BEST_KERNEL || "constant-time";

if (!Object.hasOwn(CHOICES, kernelChoice)) {
	console.error(`build: BEST_KERNEL is "${kernelChoice}"; it can be ${Object.keys(CHOICES).join(" or ")}.`);
	process.exit(2);
}

/** Definitions for the compiler. */
export const kernelDefines = CHOICES[kernelChoice];
