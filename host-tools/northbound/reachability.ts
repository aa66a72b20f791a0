/**
 * When a UE was last heard from. A UE sleeps: what is sent long after it has spoken is lost, since EMSDP acknowledges
 * nothing, so downlinks and commands wait until it is heard again.
 */
export class Reachability {
	private readonly heardAt = new Map<string, number>();
	private readonly listensFor: number;

	/** @param listensFor milliseconds that a UE listens after it has sent something */
	constructor(listensFor: number) {
		this.listensFor = listensFor;
	}

	heard(imsi: string, now: number): void {
		// Oldest first, so that tidying can stop early.
		this.heardAt.delete(imsi);
		this.heardAt.set(imsi, now);
	}

	isReachable(imsi: string, now: number): boolean {
		const at = this.heardAt.get(imsi);
		return at !== undefined && this.isRecent(at, now);
	}

	/** Whether a UE that was heard at a time listens still. */
	isRecent(at: number, now: number): boolean {
		return now - at <= this.listensFor;
	}

	/** When a UE that may listen still was heard, in milliseconds since 1970. */
	lastHeard(imsi: string): number | undefined {
		return this.heardAt.get(imsi);
	}

	/** Forgets those that listen no more. */
	tidy(now: number): void {
		for (const [imsi, at] of this.heardAt) {
			if (now - at <= this.listensFor) return;
			this.heardAt.delete(imsi);
		}
	}
}
