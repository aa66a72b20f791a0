/** Brings one step of the build, and what it stands on, up to date. */
export function build(step: string): Promise<void>;
