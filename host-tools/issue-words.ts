import type { z } from "zod";

const TYPES: Readonly<Record<string, string>> = {
	string: "text",
	number: "a number",
	int: "a whole number",
	boolean: "true or false",
	object: "a JSON object",
	array: "a list",
};

/** What is counted in a value whose size is bounded. */
const UNITS: Readonly<Record<string, string>> = { string: " characters", array: " entries" };

type Issue = z.core.$ZodRawIssue;

const FORMATS: Readonly<Record<string, string>> = {
	url: "must be a URI",
	datetime: "must be a date and time of RFC 3339",
};

/** What is wrong with a value, in the words of this project, after the name of the field; undefined: as zod says it. */
export function issueInWords(issue: Issue): string | undefined {
	switch (issue.code) {
		case "invalid_type":
			return issue.input === undefined ? "is missing" : `must be ${TYPES[issue.expected] ?? issue.expected}`;
		case "invalid_value":
			return `must be one of ${issue.values.map(String).join(", ")}`;
		case "invalid_format":
			return FORMATS[issue.format];
		case "too_small":
			return `must ${bound("more", "at least", issue, issue.minimum)}`;
		case "too_big":
			return `must ${bound("less", "at most", issue, issue.maximum)}`;
		case "unrecognized_keys":
			return `has no field ${issue.keys.map((key) => `"${key}"`).join(", ")}`;
		default:
			return undefined;
	}
}

function bound(
	than: string,
	inclusive: string,
	{ origin, inclusive: isInclusive }: { readonly origin?: unknown; readonly inclusive?: unknown },
	limit: number | bigint,
): string {
	const unit = UNITS[String(origin)];
	return `${unit === undefined ? "be" : "have"} ${isInclusive === false ? `${than} than` : inclusive} ${limit}${unit ?? ""}`;
}
