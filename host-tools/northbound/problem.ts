import type { ServerResponse } from "node:http";

/** A parameter that is at fault (TS 29.122 5.2.1.2.13). */
export interface InvalidParameter {
	/** Where it stands: a JSON pointer into the body, or `query name`, or `header Name`. */
	readonly param: string;
	readonly reason: string;
}

/** ProblemDetails of TS 29.122 5.2.1.2.12 and RFC 9457. */
export interface ProblemDetails {
	readonly title: string;
	readonly status: number;
	readonly detail: string;
	/** For programs: upper-case words. */
	readonly cause?: string;
	readonly invalidParams?: readonly InvalidParameter[];
}

export const PROBLEM_TYPE = "application/problem+json";

const TITLES: Readonly<Record<number, string>> = {
	400: "Bad Request",
	401: "Unauthorized",
	403: "Forbidden",
	404: "Not Found",
	405: "Method Not Allowed",
	406: "Not Acceptable",
	408: "Request Timeout",
	409: "Conflict",
	413: "Content Too Large",
	415: "Unsupported Media Type",
	417: "Expectation Failed",
	422: "Unprocessable Content",
	426: "Upgrade Required",
	429: "Too Many Requests",
	431: "Request Header Fields Too Large",
	500: "Internal Server Error",
	503: "Service Unavailable",
};

/** Why a request is refused. It becomes a response with {@link ProblemDetails}, and says nothing that the asker may not know. */
export class Problem extends Error {
	override readonly name = "Problem";
	readonly status: number;
	/** For programs: upper-case words. */
	readonly code: string;
	readonly invalidParams: readonly InvalidParameter[];
	/** Header fields of the response. */
	readonly headers: Readonly<Record<string, string>>;

	/** @param detail one sentence: what was wrong, and what to do */
	constructor(
		status: number,
		code: string,
		detail: string,
		more: {
			readonly invalidParams?: readonly InvalidParameter[];
			readonly headers?: Readonly<Record<string, string>>;
		} = {},
	) {
		super(detail);
		this.status = status;
		this.code = code;
		this.invalidParams = more.invalidParams ?? [];
		this.headers = more.headers ?? {};
	}

	/** The status in words. */
	get title(): string {
		return TITLES[this.status] ?? "Error";
	}

	get details(): ProblemDetails {
		const { title, status, code, message, invalidParams } = this;
		return {
			title,
			status,
			detail: message,
			cause: code,
			...(invalidParams.length > 0 && { invalidParams }),
		};
	}
}

/** A part of the request that is not as it must be. */
export function invalid(param: string, reason: string): Problem {
	return new Problem(400, "INVALID_PARAMETER", `${param}: ${reason}`, { invalidParams: [{ param, reason }] });
}

/** There is no such resource, or it is none of this application server: which of the two is not told. */
export function notFound(what: string): Problem {
	return new Problem(404, "RESOURCE_NOT_FOUND", `There is no such ${what} of this application server.`);
}

/** @param methods that are there */
export function notAllowed(methods: readonly string[]): Problem {
	const allow = methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])).join(", ");
	return new Problem(405, "METHOD_NOT_ALLOWED", `Allowed here: ${allow}.`, { headers: { Allow: allow } });
}

/** Answers a request that no route was asked about. */
export function answerProblem(response: ServerResponse, problem: Problem): void {
	const body = JSON.stringify(problem.details);
	const fields = { "Content-Type": PROBLEM_TYPE, "Content-Length": Buffer.byteLength(body), ...problem.headers };
	response.writeHead(problem.status, fields).end(body);
}
