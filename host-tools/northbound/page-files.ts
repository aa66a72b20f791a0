import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../device/project-root.js";

/** Content types by the end of a name. */
const TYPES: Readonly<Record<string, string>> = {
	html: "text/html; charset=utf-8",
	js: "text/javascript; charset=utf-8",
	css: "text/css; charset=utf-8",
};

/** What pages may load: what stands beside them, and nothing else. */
const POLICY =
	"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/** A file of a page, as it is served. */
export function pageFile(name: string): Response {
	const body = readFileSync(join(projectRoot(), "host-tools/northbound/page", name));
	return new Response(body, {
		headers: {
			"Content-Type": TYPES[name.split(".").at(-1) ?? ""] ?? "application/octet-stream",
			"Content-Security-Policy": POLICY,
			"X-Content-Type-Options": "nosniff",
			"Referrer-Policy": "no-referrer",
			"Cache-Control": "no-cache",
		},
	});
}
