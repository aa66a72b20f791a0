import type { HseConfiguration } from "../../firmware/emsdp/configuration.js";

/** K_EAS_PSK of one Key ID of a session, and what an EAS needs to use it. */
export interface EasKey {
	/** Who the UE is to the EAS, such as "imsi-001010000000001". */
	readonly ueId: string;
	readonly sessionId: number;
	/** K_EAS_PSK, 32 octets. Secret; whoever holds it last erases it. */
	readonly key: Uint8Array;
	/** Of tag 10, with the Key ID that the key belongs to. */
	readonly configuration: HseConfiguration;
	/** The largest message the UE takes, in octets. */
	readonly largestMessage: number;
	/** Highest UP COUNT received from the UE plus one. */
	readonly uplinkCount: number;
	/** Next UP COUNT to the UE, as far as the HSE knows. */
	readonly downlinkCount: number;
	/** Seconds until the HSE ends the session, 0: no end is known. */
	readonly expiresIn: number;
}

/** A UP message on its way between HSE and EAS, in either direction, as the UE sends or takes it. */
export interface ForwardedMessage {
	/** The whole COUNT, of which the message carries the low bits. */
	readonly count: number;
	readonly datagram: Uint8Array;
}
