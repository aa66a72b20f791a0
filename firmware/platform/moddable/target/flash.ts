import { FlashStore } from "best/platform/moddable/flash-store";
import type { Store } from "best/ports/store";

/** The processor's own flash. */
export const store: Store = new FlashStore();
