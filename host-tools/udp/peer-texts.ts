/** Words of a socket address of the system. */
export const PEER_WORDS = 7;
/** A power of two. */
const LINES = 8192;

/** The texts of the peers that were heard last: one that is heard again has its text without a new one being made. */
export class PeerTexts {
	private readonly words = new Uint32Array(LINES * PEER_WORDS);
	private readonly texts: string[] = new Array(LINES).fill("");

	/**
	 * The text of a peer.
	 * @param peers socket addresses, one after another
	 * @param make makes the text of the one at an index
	 */
	textOf(peers: Uint32Array, index: number, make: (index: number) => string): string {
		const from = index * PEER_WORDS;
		let hash = 0;
		for (let i = 0; i < PEER_WORDS; i++) hash = Math.imul(hash ^ peers[from + i], 0x9e3779b1) ^ (hash >>> 15);
		const line = (hash ^ (hash >>> 16)) & (LINES - 1);
		const at = line * PEER_WORDS;
		const { words, texts } = this;
		let isSame = true;
		for (let i = 0; i < PEER_WORDS; i++) isSame &&= words[at + i] === peers[from + i];
		if (isSame) return texts[line];
		words.set(peers.subarray(from, from + PEER_WORDS), at);
		texts[line] = make(index);
		return texts[line];
	}
}
