import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

export const root = fileURLToPath(new URL("../../..", import.meta.url));

type Strings = string | readonly string[];

interface Manifest {
	readonly build?: Readonly<Record<string, string>>;
	readonly include?: Strings;
	readonly modules?: Readonly<Record<string, Strings>>;
	readonly preload?: Strings;
	readonly creation?: { readonly main?: string };
	readonly error?: string;
	readonly platforms?: Readonly<Record<string, Manifest>>;
}

/** What a manifest comes to on a platform, as mcconfig merges it; what it includes of the SDK is left out. */
export interface Project {
	/** Modules by name: the file. */
	readonly modules: Map<string, string>;
	/** C sources and headers, and other files that were named. */
	readonly others: Set<string>;
	/** Files that were named and do not exist. */
	readonly missing: string[];
	readonly preload: Set<string>;
	readonly sdk: Set<string>;
	readonly errors: string[];
	main: string;
}

const listOf = (strings: Strings | undefined) => (typeof strings === "string" ? [strings] : (strings ?? []));

/** The most special row, as mcconfig chooses it: there is one at the most for each manifest. */
function rowOf(platforms: Readonly<Record<string, Manifest>>, platform: string): Manifest | undefined {
	for (const parts = platform.split("/"); parts.length > 0; parts.pop()) {
		const row = platforms[parts.join("/")];
		if (row !== undefined) return row;
	}
	return platforms["..."];
}

/** Reads a manifest and all that it includes. @param environment variables of the shell */
export function readProject(
	file: string,
	platform: string,
	environment: Readonly<Record<string, string>> = {},
): Project {
	const project: Project = {
		modules: new Map(),
		others: new Set(),
		missing: [],
		preload: new Set(),
		sdk: new Set(),
		errors: [],
		main: "main",
	};
	const variables: Record<string, string> = {};
	const resolve = (text: string) => text.replace(/\$\((\w+)\)/g, (all, name) => variables[name] ?? all);

	const build = (manifest: Manifest, folder: string) => {
		for (const [name, value] of Object.entries(manifest.build ?? {})) {
			const [variable, isDefault] = name.split(" ");
			const given = isDefault === undefined ? undefined : environment[variable];
			variables[variable] = given ?? (value.startsWith("./") ? join(folder, value) : value);
		}
	};

	const merge = (manifest: Manifest, folder: string) => {
		for (const [name, sources] of Object.entries(manifest.modules ?? {}))
			for (const source of listOf(sources)) addModules(project, name, join(folder, resolve(source)));
		for (const name of listOf(manifest.preload)) project.preload.add(name);
		if (manifest.error !== undefined) project.errors.push(manifest.error);
		project.main = manifest.creation?.main ?? project.main;
	};

	const read = (path: string) => {
		const manifest: Manifest = JSON.parse(readFileSync(path, "utf8"));
		const folder = dirname(path);
		const row = rowOf(manifest.platforms ?? {}, platform) ?? {};
		build(manifest, folder);
		build(row, folder);
		for (const include of [...listOf(manifest.include), ...listOf(row.include)].map(resolve)) {
			if (include.startsWith("$(MODDABLE)")) project.sdk.add(include);
			else read(include.startsWith("/") ? include : join(folder, include));
		}
		merge(manifest, folder);
		merge(row, folder);
	};
	read(join(root, file));
	return project;
}

function addModules(project: Project, name: string, source: string): void {
	const stem = posix.basename(source);
	const folder = dirname(source);
	const files = existsSync(folder) ? readdirSync(folder) : [];
	const found = files.filter(
		(file) => (stem === "*" ? /\.(ts|js|c|h)$/ : /^$/).test(file) || file === stem || stemOf(file) === stem,
	);
	if (found.length === 0) project.missing.push(source);
	for (const file of found) {
		const path = join(folder, file);
		if (/\.(ts|js)$/.test(file)) project.modules.set(name.replace("*", stemOf(file)), path);
		else project.others.add(path);
	}
}

const stemOf = (file: string) => file.replace(/\.(ts|js|c|h)$/, "");

/** A module as it is compiled for the device: without types. */
export function codeOf(path: string): string {
	const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: true };
	return ts.transpileModule(readFileSync(path, "utf8"), { compilerOptions: options }).outputText;
}

/** What a module names in its imports. */
export function importsOf(code: string): string[] {
	const statements = /^(?:import|export)\b(?:[^;"']*? from)?\s*["']([^"']+)["'];/gm;
	return [...code.matchAll(statements)].map(([, specifier]) => specifier);
}

/** The name of the module that an import means: "./" and "../" are looked for beside the name of the importing module. */
export function nameOf(importer: string, specifier: string): string {
	if (!specifier.startsWith(".")) return specifier;
	return posix.join(posix.dirname(importer), specifier.replace(/\.js$/, ""));
}
