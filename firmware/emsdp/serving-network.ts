import { SERVING_NETWORK_FORM } from "./profile.js";

const PLMN_OCTETS = 3;
const NAME_PREFIX = [0x35, 0x47, 0x3a]; // "5G:" (TS 24.501 9.12.1)

/** Whether `length` octets at `offset` are a value of tag 05: a PLMN (TS 24.301 9.9.3.32 digits) or a serving network name. */
export function isServingNetwork(octets: Uint8Array, offset: number, length: number): boolean {
	const form = octets[offset];
	if (form === SERVING_NETWORK_FORM.plmn) return length === 1 + PLMN_OCTETS && isPlmn(octets, offset + 1);
	if (form !== SERVING_NETWORK_FORM.name || length <= 1 + NAME_PREFIX.length) return false;
	for (let i = 0; i < NAME_PREFIX.length; i++) if (octets[offset + 1 + i] !== NAME_PREFIX[i]) return false;
	// The name is a domain name behind its prefix: printable ASCII.
	for (let i = 1; i < length; i++) if (octets[offset + i] <= 0x20 || octets[offset + i] > 0x7e) return false;
	return true;
}

function isPlmn(octets: Uint8Array, offset: number): boolean {
	const third = octets[offset + 1] >> 4; // third MNC digit, F where there are two
	return (
		(octets[offset] & 0x0f) <= 9 &&
		octets[offset] >> 4 <= 9 &&
		(octets[offset + 1] & 0x0f) <= 9 &&
		(third <= 9 || third === 0x0f) &&
		(octets[offset + 2] & 0x0f) <= 9 &&
		octets[offset + 2] >> 4 <= 9
	);
}

/** The value of tag 05 in PLMN form (4 octets). @param mcc 3 digits @param mnc 2 or 3 digits */
export function plmnForm(mcc: string, mnc: string): Uint8Array {
	const third = mnc.length === 3 ? Number(mnc[2]) : 0x0f;
	return Uint8Array.of(
		SERVING_NETWORK_FORM.plmn,
		(Number(mcc[1]) << 4) | Number(mcc[0]),
		(third << 4) | Number(mcc[2]),
		(Number(mnc[1]) << 4) | Number(mnc[0]),
	);
}

/** The value of tag 05 in name form: `5G:mnc<MNC>.mcc<MCC>.3gppnetwork.org`, MNC in three digits (TS 24.501 9.12.1). */
export function nameForm(mcc: string, mnc: string): Uint8Array {
	const name = `5G:mnc${mnc.length === 2 ? "0" : ""}${mnc}.mcc${mcc}.3gppnetwork.org`;
	const value = new Uint8Array(1 + name.length);
	value[0] = SERVING_NETWORK_FORM.name;
	for (let i = 0; i < name.length; i++) value[1 + i] = name.charCodeAt(i);
	return value;
}
