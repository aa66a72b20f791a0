/** How many times as long as in an ordinary run the hunt goes on: `npm run test:nightly` sets 20. */
export const TIMES = Number(process.env.BEST_HUNT ?? 1);
