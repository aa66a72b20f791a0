import storage from "embedded:storage/key-value";
import { type KeyValueStorage, KeyValueStore } from "best/platform/moddable/key-value-store";
import type { Store } from "best/ports/store";
import config from "mc/config";

/** What a board keeps by key: NVS of ESP-IDF, settings of Zephyr. */
export const store: Store = new KeyValueStore({
	storage: (storage as KeyValueStorage).open({ path: String(config.store), format: "buffer" }),
});
