import { expect } from "@jest/globals";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { bestDocument } from "../../host-tools/northbound/best/document.js";
import type { Api, Operation } from "../../host-tools/northbound/operation.js";
import type { Json } from "./cases.js";
import type { Answer } from "./world.js";

/** Holds answers of the BEST API against its own OpenAPI document. */
export class BestDocument {
	readonly document: Json;
	private readonly ajv = new Ajv2020({ strict: false, allErrors: true });

	constructor(api: Api) {
		this.document = bestDocument(api);
		formats.default(this.ajv);
		this.ajv.addSchema(this.document, "best");
	}

	describes({ path, method }: Operation): Json {
		return this.document.paths[path][method];
	}

	expectAnswer(operation: Operation, { status, body }: Pick<Answer, "status" | "body">): void {
		const { responses } = this.describes(operation);
		const key = responses[status] === undefined ? "default" : String(status);
		if (key === "default") expect(status).toBeGreaterThanOrEqual(400);
		if (status >= 300 || body === undefined) return;
		const { path, method } = operation;
		const pointer = `#/paths/${path.replaceAll("~", "~0").replaceAll("/", "~1")}/${method}/responses/${key}/content/application~1json/schema`;
		const isValid = this.ajv.validate({ $ref: `best${encodeURI(pointer)}` }, body);
		expect({ body, errors: isValid ? [] : this.ajv.errors }).toEqual({ body, errors: [] });
	}
}
