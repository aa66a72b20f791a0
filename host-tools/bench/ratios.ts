import type { BenchRow } from "./kernel-rows.js";

/** How many times as long each peer takes as this project's constant-time kernel, by place, peer and size. */
export function ratiosOf(rows: readonly BenchRow[]): Record<string, number> {
	const ratios: Record<string, number> = {};
	for (const { where, what, name, size, ns } of rows) {
		const own = rows.find(
			(row) => row.where === where && row.what === what && row.name === "best-ct" && row.size === size,
		);
		if (own?.ns === undefined || ns === undefined || name === "best-ct") continue;
		ratios[`${where} ${what} ${size} B: ${name} / best-ct`] = Math.round((100 * ns) / own.ns) / 100;
	}
	return ratios;
}
