/** Builds programs for the board beside the firmware: build/board/NAME/NAME.elf. */
export function buildBoardPrograms(
	programs: readonly {
		readonly name: string;
		/** Evaluated when the device starts; a path from the project's root, as are the others. */
		readonly main: string;
		/** Evaluated while the image is made. */
		readonly preloaded: readonly string[];
		/** Names that stand for expressions, for esbuild. */
		readonly define?: Readonly<Record<string, string>>;
	}[],
): Promise<void>;
