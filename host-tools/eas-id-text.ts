const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** An EAS Id as text. It is taken octet by octet (profile section 3): a byte order mark belongs to it. */
export function easIdText(easId: Uint8Array): string {
	return decoder.decode(easId);
}
