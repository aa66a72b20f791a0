/** The BEST client for other people's firmware: the module `best/client` (manifest_best.json). */
export {
	BestClient as default,
	BestClient,
	type ClientConfiguration,
	type ClientOptions,
} from "./client/best-client.js";
export { ClientError, type ClientErrorCode } from "./client/errors.js";
export type { UeEvent } from "./client/events.js";
