/** The exports of ../index.ts with tables instead of bit slices: faster, NOT constant time, never the default. */

@global
const WITH_TABLES: bool = true;

export * from "../index";
