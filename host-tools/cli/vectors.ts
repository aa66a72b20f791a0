import { relative } from "node:path";
import { loadKernel } from "../kernel.js";
import { checkFolder, type FileReport } from "../vectors/check.js";
import { Failure, UsageError } from "./errors.js";
import type { Command } from "./options.js";

function check(folder: string): FileReport[] {
	try {
		return checkFolder(loadKernel(), folder);
	} catch (error) {
		const why = error instanceof Error ? error.message : String(error);
		throw new Failure(`The vectors in ${folder} cannot be read (${why}): name a folder of JSON vector files.`);
	}
}

export const vectors: Command = {
	name: "vectors",
	summary: 'check test vectors of EMSDP: one line per file, last "N passed, M failed"',
	operands: ["check", "DIR"],
	options: { verbose: { help: "tell on standard error why each failed case failed" } },
	example: "best vectors check tests/vectors/emsdp",
	async run(options, [action, folder]) {
		if (action !== "check") throw new UsageError(`best vectors: there is no "${action}"; allowed is check.`);
		const reports = check(folder);
		let passed = 0;
		let failed = 0;
		for (const { file, format, passed: good, failures } of reports) {
			console.log(`${relative(folder, file)} (${format}): ${good} passed, ${failures.length} failed`);
			if (options.verbose === true)
				for (const { description, why } of failures) console.error(`  ${description}: ${why}`);
			passed += good;
			failed += failures.length;
		}
		console.log(`${passed} passed, ${failed} failed`);
		if (passed + failed === 0) throw new Failure(`There is no vector file of a known format in ${folder}.`);
		return failed === 0 ? 0 : 1;
	},
};
