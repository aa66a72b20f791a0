/** How long each side is fuzzed: `npm run test:nightly` sets 10; without it a few seconds, in which memory says nothing. */
export const MINUTES = Number(process.env.BEST_FUZZ_MINUTES ?? 0);
export const MILLISECONDS = MINUTES > 0 ? 60_000 * MINUTES : 4000;
/** Another one each time where there is time for it. It is said at the start, and `BEST_FUZZ_SEED` sets it. */
export const SEED = Number(process.env.BEST_FUZZ_SEED ?? (MINUTES > 0 ? Date.now() % 2 ** 31 : 33163));
/** For a test that takes so long, on a machine that is busy. */
export const PATIENCE = MILLISECONDS + 240_000;
