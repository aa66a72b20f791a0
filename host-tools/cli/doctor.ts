import { UDP_PORT } from "../../firmware/emsdp/profile.js";
import { CHECKS, examine, type Finding } from "../doctor/checks.js";
import { reachHse } from "../doctor/reach.js";
import { UsageError } from "./errors.js";
import type { Command } from "./options.js";

const SIGNS = { ok: "ok", missing: "--", failed: "NO" };

function addressOf(text: string): [string, number] {
	const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text);
	const port = Number(match?.[3] ?? UDP_PORT);
	if (match === null || port < 1 || port > 65535)
		throw new UsageError(`--hse is "${text}": HOST, HOST:PORT or [IPV6]:PORT is allowed.`);
	return [match[1] ?? match[2], port];
}

function lines({ name, purpose, state, found, advice }: Finding): string[] {
	const head = `${SIGNS[state].padEnd(4)}${name.padEnd(19)} `;
	if (state === "ok") return [`${head}${found}`];
	return [`${head}for ${purpose}`, `${" ".repeat(24)}${advice}`];
}

export const doctor: Command = {
	name: "doctor",
	summary: "look at what this machine has and lacks, and say what to do about it",
	options: {
		hse: { value: "HOST[:PORT]", help: `whether an HSE answers there over UDP (port ${UDP_PORT})` },
		json: { help: "print the findings as JSON" },
	},
	example: "best doctor --hse 192.0.2.7",
	async run({ hse, json }) {
		const target = typeof hse === "string" ? addressOf(hse) : undefined;
		const findings = CHECKS.map(examine);
		if (target !== undefined) findings.push(await reachHse(...target));
		if (json) console.log(JSON.stringify(findings));
		else for (const finding of findings) for (const line of lines(finding)) console.log(line);
		return findings.some(({ state }) => state === "failed") ? 1 : 0;
	},
};
