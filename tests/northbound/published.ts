import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "@jest/globals";
import { Ajv, type ValidateFunction } from "ajv";
import formats from "ajv-formats";
import { parse } from "yaml";
import { ROOT } from "../support/best.js";
import type { Answer } from "./world.js";

const FOLDER = join(ROOT, "../shared/openapi");
const NIDD = "TS29122_NIDD.yaml";

// biome-ignore lint/suspicious/noExplicitAny: a document is looked at field by field.
type Json = any;

/** Whether the documents as 3GPP publishes them are beside the project. */
export const isPublished = existsSync(join(FOLDER, NIDD));
if (!isPublished) console.warn(`No published OpenAPI documents in ${FOLDER}: what is held against them is skipped.`);

/** The published OpenAPI document of NIDD and what it refers to. */
export class PublishedNidd {
	private readonly documents = new Map<string, Json>();
	private readonly ajv = new Ajv({ strict: false, allErrors: true, validateFormats: true });
	private readonly validators = new Map<string, ValidateFunction>();

	constructor() {
		for (const file of readdirSync(FOLDER))
			if (file.endsWith(".yaml")) this.documents.set(file, parse(readFileSync(join(FOLDER, file), "utf8")));
		formats.default(this.ajv);
		for (const [file, document] of this.documents) {
			this.openReferences(file, document);
			this.ajv.addSchema(document, file);
		}
	}

	/** Every operation: path, method, operationId. */
	operations(): { path: string; method: string; id: string }[] {
		return Object.entries<Json>(this.document.paths).flatMap(([path, item]) =>
			Object.entries<Json>(item)
				.filter(([method]) => ["get", "post", "put", "patch", "delete"].includes(method))
				.map(([method, operation]) => ({ path, method, id: String(operation.operationId) })),
		);
	}

	/** Holds a body against a schema of the NIDD document, or of the common data where it says so. */
	expectValid(schema: string, body: unknown, file = NIDD): void {
		this.expectMatch(`${file}#/components/schemas/${schema}`, body);
	}

	/** Holds a request body against what an operation takes. */
	expectRequest(method: string, path: string, body: unknown): void {
		const at = `/paths/${escaped(path)}/${method}/requestBody/content`;
		const [type] = Object.keys(this.at(at));
		this.expectMatch(`${NIDD}#${at}/${escaped(type)}/schema`, body);
	}

	/** Holds an answer against what an operation answers: status, content type, header fields and body. */
	expectAnswer(method: string, path: string, { status, headers, body, text }: Answer): void {
		const responses = `/paths/${escaped(path)}/${method}/responses`;
		const key = this.at(responses)[status] === undefined ? "default" : String(status);
		// An unexpected status is documented by `default` only as a problem.
		if (key === "default") expect(status).toBeGreaterThanOrEqual(400);
		const { file, at, value } = this.followed(NIDD, `${responses}/${key}`);
		for (const [name, header] of Object.entries<Json>(value.headers ?? {}))
			if (header.required) expect([name, headers.get(name)]).toEqual([name, expect.any(String)]);
		if (value.content === undefined) {
			expect(text).toBe("");
			return;
		}
		const type = (headers.get("content-type") ?? "").split(";")[0];
		expect(Object.keys(value.content)).toContain(type);
		this.expectMatch(`${file}#${at}/content/${escaped(type)}/schema`, body);
	}

	private get document(): Json {
		return this.documents.get(NIDD) as Json;
	}

	private at(pointer: string, file = NIDD): Json {
		let value = this.documents.get(file) as Json;
		for (const part of pointer.split("/").slice(1)) value = value?.[unescaped(part)];
		return value;
	}

	private followed(file: string, at: string): { file: string; at: string; value: Json } {
		const value = this.at(at, file);
		if (value?.$ref === undefined) return { file, at, value };
		const [other, pointer] = value.$ref.split("#");
		return this.followed(other || file, pointer);
	}

	private expectMatch(reference: string, body: unknown): void {
		let validate = this.validators.get(reference);
		if (validate === undefined) {
			validate = this.ajv.compile({ $ref: reference });
			this.validators.set(reference, validate);
		}
		const isValid = validate(body);
		expect({ reference, body, errors: isValid ? [] : validate.errors }).toEqual({ reference, body, errors: [] });
	}

	/** What leads out of the documents that are here leads to location and policy: any value will do there. */
	private openReferences(file: string, value: Json): void {
		if (value === null || typeof value !== "object") return;
		if (typeof value.$ref === "string") {
			const [other, pointer] = value.$ref.split("#");
			if (this.at(pointer, other || file) === undefined) delete value.$ref;
		}
		for (const part of Object.values(value)) this.openReferences(file, part);
	}
}

function escaped(part: string): string {
	return encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1"));
}

function unescaped(part: string): string {
	return decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
}
