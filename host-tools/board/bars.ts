/** Bars of memory as SVG, drawn from figures alone: the same figures give the same octets. */

export interface Bar {
	readonly label: string;
	/** What the bar is drawn against. */
	readonly capacity: number;
	readonly parts: readonly { readonly label: string; readonly octets: number; readonly colour: string }[];
}

const WIDTH = 720;
const LABEL = 190;
const ROW = 44;
const HEIGHT = 22;

const kilobytes = (octets: number) => `${(octets / 1024).toFixed(octets < 10_240 ? 1 : 0)} KB`;

export function barsOf(title: string, bars: readonly Bar[]): string {
	const most = Math.max(...bars.map(({ capacity }) => capacity));
	const scale = (WIDTH - LABEL - 20) / most;
	const lines = bars.flatMap(({ label, capacity, parts }, row) => {
		const y = 36 + row * ROW;
		let x = LABEL;
		const used = parts.reduce((sum, { octets }) => sum + octets, 0);
		const boxes = parts.map((part) => {
			const width = part.octets * scale;
			const box = `<rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${HEIGHT}" fill="${part.colour}"><title>${part.label}: ${part.octets} octets</title></rect>`;
			x += width;
			return box;
		});
		return [
			`<text x="${LABEL - 8}" y="${y + 15}" text-anchor="end">${label}</text>`,
			`<rect x="${LABEL}" y="${y}" width="${(capacity * scale).toFixed(1)}" height="${HEIGHT}" fill="#eee" stroke="#999"/>`,
			...boxes,
			`<text x="${LABEL}" y="${y + HEIGHT + 13}" class="small">${kilobytes(used)} of ${kilobytes(capacity)}</text>`,
		];
	});
	const legend = new Map(bars.flatMap(({ parts }) => parts.map(({ label, colour }) => [label, colour])));
	const bottom = 36 + bars.length * ROW + 8;
	const keys = [...legend].map(
		([label, colour], index) =>
			`<rect x="${20 + (index % 4) * 175}" y="${bottom + Math.floor(index / 4) * 20}" width="12" height="12" fill="${colour}"/>` +
			`<text x="${38 + (index % 4) * 175}" y="${bottom + 10 + Math.floor(index / 4) * 20}" class="small">${label}</text>`,
	);
	const height = bottom + Math.ceil(legend.size / 4) * 20 + 8;
	return [
		`<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="13">`,
		`<title>${title}</title>`,
		"<style>.small { font-size: 11px }</style>",
		`<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
		`<text x="20" y="20" font-weight="bold">${title}</text>`,
		...lines,
		...keys,
		"</svg>",
		"",
	].join("\n");
}
