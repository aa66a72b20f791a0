import type { Random } from "../../ports/random.js";
import { host } from "./natives.js";

export class HostRandom implements Random {
	fill(into: Uint8Array): void {
		host.random(into);
	}
}
