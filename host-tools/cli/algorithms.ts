import { ALGORITHMS } from "../provision/provision.js";
import { listOption, type Options } from "./options.js";

const WORDS = Object.keys(ALGORITHMS) as (keyof typeof ALGORITHMS)[];

/** What stands for the value of `--algorithms` in the help. */
export const ALGORITHMS_VALUE = WORDS.join(",");

/** The algorithms of `--algorithms`, AES alone where it was not given. @throws UsageError */
export function algorithmsOption(options: Options): number[] {
	return listOption(options, "algorithms", WORDS, ["aes"]).map((word) => ALGORITHMS[word]);
}
