import type { z } from "zod";
import type { ApplicationServer } from "./application-server.js";
import type { Steps } from "./steps.js";

/** A request that has been authenticated, authorised and checked against its schemas. */
export interface ApiRequest {
	readonly applicationServer: ApplicationServer;
	/** Parameters of the path, decoded. */
	readonly path: Readonly<Record<string, string>>;
	readonly query: Readonly<Record<string, unknown>>;
	/** What the schema of the body made of it; undefined where there is none. */
	readonly body: unknown;
}

export interface ApiResponse {
	readonly status: number;
	readonly body?: unknown;
	readonly headers?: Readonly<Record<string, string>>;
}

/** A response as a document describes it. */
export interface ResponseRow {
	readonly description: string;
	readonly schema?: z.ZodType;
	/** Whether there is a Location. */
	readonly location?: boolean;
}

/** An operation of an API: what its document says and what it does. */
export interface Operation {
	readonly id: string;
	readonly method: "get" | "post" | "put" | "patch" | "delete";
	/** Below the root of the API, with `{name}` for a parameter; begins with `/{scsAsId}`. */
	readonly path: string;
	readonly tag: string;
	readonly summary: string;
	/** More than the summary: what it does when, in sentences. */
	readonly description?: string;
	readonly query?: z.ZodObject;
	readonly body?: z.ZodType;
	/** Whether there need be no body: then it stands for an empty object. */
	readonly isBodyOptional?: boolean;
	/** `application/json` by default. */
	readonly bodyType?: string;
	readonly responses: Readonly<Record<number, ResponseRow>>;
	/** What it answers holds a secret: it is kept nowhere. */
	readonly isSecret?: boolean;
	handle(request: ApiRequest): Steps<ApiResponse>;
}

/** An API: its name in the paths, its version and its operations. */
export interface Api {
	readonly name: string;
	readonly version: string;
	readonly operations: readonly Operation[];
}

/** The URI reference of an API's root, such as `/3gpp-nidd/v1`. */
export function rootOf({ name, version }: Pick<Api, "name" | "version">): string {
	return `/${name}/${version}`;
}
