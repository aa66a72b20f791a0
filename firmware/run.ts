import { Application } from "./application.js";
import type { UeEvent } from "./client/events.js";
import type { Platform } from "./ports/platform.js";
import { isUsableIdentity, provisionedClient } from "./provisioned-client.js";

/** Who watches the firmware beside the platform's lines: a screen. */
export interface Observer {
	/** Every event of the client. */
	tell(event: UeEvent): void;
	/** The firmware cannot run. */
	fail(why: string): void;
}

/** Starts the application as soon as the device has an identity. What went wrong is told, and nothing is thrown. */
export function run(platform: Platform, observer?: Observer): void {
	const start = () => {
		const client = provisionedClient(platform, (event) => {
			observer?.tell(event);
			application.tell(event);
		});
		const application = new Application(platform, client);
		application.run();
	};

	/** What escaped from here would end some targets without a word. */
	const guard = (action: () => void) => {
		try {
			action();
		} catch (error) {
			const why = error instanceof Error ? error.message : String(error);
			observer?.fail(why);
			platform.print(JSON.stringify({ event: "failed", why }));
			platform.exit(1);
		}
	};

	guard(() => {
		const isUsable = (record: Uint8Array) => isUsableIdentity(platform, record);
		const onProvisioned = () => guard(start);
		if (!platform.provisioning?.listen({ isUsable, onProvisioned })) start();
	});
}
