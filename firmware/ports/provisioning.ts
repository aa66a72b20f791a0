export interface ProvisioningCallbacks {
	/** Whether the device could start with an identity; nothing else is written. */
	isUsable(record: Uint8Array): boolean;
	/** Called once the device has an identity that it had not before. */
	onProvisioned(): void;
}

/** Where a person can give the device its identity. */
export interface Provisioning {
	/**
	 * Listens, for as long as the program runs.
	 * @returns whether the device has to wait for an identity: it has none, or somebody pressed a button to give it another
	 */
	listen(callbacks: ProvisioningCallbacks): boolean;
}
