import fc from "fast-check";

// biome-ignore lint/suspicious/noExplicitAny: a document is looked at field by field.
export type Json = any;
/** Values that mean something, by the name of their field, so that more than the outermost check is reached. */
export type Words = Readonly<Record<string, readonly unknown[]>>;

/** Fields that make most requests end early. */
const RARE = ["externalGroupId", "msisdn", "reliableDataService", "rdsPort", "rdsPorts", "niddDownlinkDataTransfers"];

/** Makes values that fit a JSON schema, now and then ones that do not. */
export class Cases {
	private readonly words: Words;
	private readonly anyWord: readonly unknown[];

	constructor(words: Words) {
		this.words = words;
		this.anyWord = Object.values(words).flat();
	}

	/** @param root what references lead into @param name of the field that it is for */
	valuesOf(schema: Json, root: Json, name = ""): fc.Arbitrary<unknown> {
		if (schema?.$ref !== undefined) {
			const path = schema.$ref.split("/").slice(1);
			return this.valuesOf(
				path.reduce((value: Json, part: string) => value[part], root),
				root,
			);
		}
		const stray = { weight: 1, arbitrary: fc.oneof(fc.jsonValue(), fc.constantFrom(...this.anyWord)) };
		const known = this.words[name];
		const usual = known === undefined ? this.fitting(schema ?? {}, root) : fc.constantFrom(...known);
		return fc.oneof(stray, { weight: 25, arbitrary: usual });
	}

	/** A body for an operation; now and then text that is none. */
	bodies(schema: Json, root: Json): fc.Arbitrary<unknown> {
		if (schema === undefined) return fc.constant(undefined);
		return fc.oneof({ weight: 9, arbitrary: this.valuesOf(schema, root) }, fc.string());
	}

	private fitting(schema: Json, root: Json): fc.Arbitrary<unknown> {
		if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
		if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((one: Json) => this.valuesOf(one, root)));
		switch (schema.type) {
			case "object": {
				const fields = Object.entries<Json>(schema.properties ?? {}).map(([name, one]) => {
					const isNeeded = schema.required?.includes(name) || name === "externalId";
					const values = this.valuesOf(one, root, name).map((value) => [[name, value] as const]);
					const weight = isNeeded ? 30 : RARE.includes(name) ? 1 / 20 : 1 / 2;
					return fc.oneof(
						{ weight: Math.round(100 * weight), arbitrary: values },
						{ weight: 100, arbitrary: fc.constant([]) },
					);
				});
				return fc.tuple(...fields).map((pairs) => Object.fromEntries(pairs.flat()));
			}
			case "array":
				return fc.array(this.valuesOf(schema.items, root), { minLength: schema.minItems ?? 0, maxLength: 3 });
			case "integer":
			case "number":
				return fc.integer({ min: schema.minimum ?? -10, max: Math.min(schema.maximum ?? 10, 1e6) });
			case "boolean":
				return fc.boolean();
			case "string":
				return fc.oneof(fc.constantFrom(...(this.anyWord as string[])), fc.string({ maxLength: 40 }));
			default:
				return fc.jsonValue();
		}
	}
}
