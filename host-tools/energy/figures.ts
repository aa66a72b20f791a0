/** A published figure that the model is built on. */
export interface Source {
	/** What is taken from it. */
	readonly figure: string;
	/** Who has published it, and where. */
	readonly publication: string;
	readonly year: string;
}

/**
 * Power of an NB-IoT modem, in watts: 250 mA at 3.6 V while it transmits with 23 dBm, and 60 mA while it receives.
 * What modems draw differs: 167 mA and 54 mA are published for the M5311.
 */
export const POWER = { transmit: 3.6 * 0.25, receive: 3.6 * 0.06 } as const;

/** Bits in a second on a single tone of 15 kHz, category NB1, without repetitions. */
export const RATE = { transmit: 15_625, receive: 21_250 } as const;

/**
 * Energy of a wake-up from PSM and of the way back, without data, in joules: 0.055 mWh. It is the same whatever protects
 * the data, and it is more than most messages.
 */
export const WAKE_UP = 0.055e-3 * 3600;

/** Octets of IPv4 and UDP headers: they are on the air with every message, except with non-IP data delivery. */
export const IP_AND_UDP = 28;

/** What the figures above come from. */
export const SOURCES: readonly Source[] = [
	{
		figure: "3.6 V; 250 mA transmitting, 60 mA receiving",
		publication:
			"D. Robinson, LTE Cat-NB (Narrowband) Performance Evaluation, Stellenbosch University, section Average Power",
		year: "2019",
	},
	{
		figure: "15.625 kbit/s up, 21.25 kbit/s down, single tone of 15 kHz",
		publication: "M5Stack, product page of Module NB-IoT (SKU M028, with the China Mobile M5311)",
		year: "undated, read in 2026",
	},
	{
		figure: "0.055 mWh for a wake-up from PSM with release assistance, nRF9160-DK, measured",
		publication: "A. Kraus, zephyr-coaps-client, docu/POWERCONSUMPTION.md",
		year: "2022",
	},
];
