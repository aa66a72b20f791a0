import { destination, type Logger, pino } from "pino";

/** Names of fields that never come into a log, wherever they stand in what is logged. */
const SECRET = [
	"key",
	"k",
	"opc",
	"secret",
	"client_secret",
	"authorization",
	"access_token",
	"token",
	"payload",
	"data",
];

/**
 * A log of JSON lines. Secrets are not given to it; should one be, by its name, it is left out.
 * @param file descriptor, or what takes the lines
 */
export function logTo(file: number | { write(line: string): void }, level: string): Logger {
	const paths = SECRET.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);
	const options = { level, base: null, redact: { paths, censor: "[secret]" } };
	// Written at once: what was logged before an end is there.
	return pino(options, typeof file === "number" ? destination({ fd: file, sync: true }) : file);
}
