import type { Kernel } from "../../firmware/kernels/kernel.js";
import { Failure, UsageError } from "../cli/errors.js";
import { DatabaseError } from "../hse/database.js";
import type { SubscriberDatabase } from "../hse/subscriber-database.js";
import type { Patience } from "./console-client.js";
import { DeviceFailure, type DeviceFailureCode } from "./device-failure.js";
import { enrol } from "./enrol.js";
import { openLine } from "./line.js";
import { type DeviceOrder, eraseKeys, identityOf } from "./order.js";
import { checkText, writeIdentity } from "./write-identity.js";

/** What came of one device. Nothing in it is secret. */
export interface Report {
	/** Of a batch, from 1. */
	readonly row?: number;
	readonly imsi: string;
	/** "uncertain": the device may have the identity, its answer was lost. */
	readonly status: "ok" | "failed" | "uncertain" | "would be";
	readonly port?: string | undefined;
	readonly fingerprint?: string;
	/** Key check values. */
	readonly check?: string;
	/** For programs: a code of {@link DeviceFailure}, or "other". */
	readonly code?: string;
	/** For people. */
	readonly why?: string;
}

export interface DeviceJob {
	readonly port: string;
	/** Its keys are erased. */
	readonly order: DeviceOrder;
	readonly kernel: Kernel;
	/** Where the subscriber goes; needed for fresh keys. */
	readonly database: SubscriberDatabase | undefined;
	isRight(fingerprint: string): boolean | Promise<boolean>;
	readonly patience?: Patience;
}

const MAY_HAVE_IT =
	"The device may have its identity, and the HSE does not serve it yet: look whether it runs, then best subscriber enable it, or try again with its button pressed.";

/** Once the secrets have left: a device that has started anew says that it is provisioned, and cannot say with what. */
const MAYBE_DONE: readonly string[] = ["no answer", "line gone", "provisioned already"] satisfies DeviceFailureCode[];

/** Gives one device its identity. Whatever goes wrong is in the report. @throws what no person could mend */
export async function provisionOver({ port, order, kernel, database, isRight, patience }: DeviceJob): Promise<Report> {
	const { imsi, keys } = order;
	let isHandedOver = false;
	let check: string | undefined;
	try {
		const line = await openLine(port);
		try {
			const enrolment = database && (await enrol(database, order));
			const identity = enrolment?.identity ?? identityOf(order, keys);
			check = checkText(kernel, identity);
			try {
				const fingerprint = await writeIdentity({
					line,
					kernel,
					identity,
					isRight,
					onHandOver: () => {
						isHandedOver = true;
					},
					...(patience && { patience }),
				});
				await enrolment?.finish();
				return { imsi, status: "ok", port, fingerprint, check };
			} finally {
				identity.credentials.fill(0);
			}
		} finally {
			await line.close();
		}
	} catch (error) {
		const isKnown = error instanceof Failure || error instanceof UsageError || error instanceof DatabaseError;
		if (!isKnown) throw error;
		const code = error instanceof DeviceFailure ? error.code : "other";
		const isLost = isHandedOver && MAYBE_DONE.includes(code);
		if (!isLost) return { imsi, status: "failed", port, code, why: error.message };
		return { imsi, status: "uncertain", port, check: check ?? "", code, why: `${error.message} ${MAY_HAVE_IT}` };
	} finally {
		if (keys !== undefined) eraseKeys(keys);
	}
}
