import * as storage from "embedded:storage/files";
import { FileStore, type StoreDirectory } from "best/platform/moddable/store";
import type { Store } from "best/ports/store";
import config from "mc/config";

// The SDK's own declarations lack the root directory.
const files = (storage as unknown as { default: StoreDirectory }).default;

/** A folder of the simulator's machine. */
export const store: Store = new FileStore({ files, path: String(config.store) });
