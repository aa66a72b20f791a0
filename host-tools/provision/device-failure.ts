import { Failure } from "../cli/errors.js";

/** What went wrong, for programs. */
export type DeviceFailureCode =
	| "no port"
	| "no answer"
	| "line gone"
	| "refused"
	| "provisioned already"
	| "not authentic";

/** The device did not do what it was asked to. */
export class DeviceFailure extends Failure {
	readonly code: DeviceFailureCode;
	constructor(code: DeviceFailureCode, message: string) {
		super(message);
		this.code = code;
	}
}
