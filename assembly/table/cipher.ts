/** What devices take where somebody chose tables: as ../cipher.ts, but one lane at a time. NOT constant time. */

@global
const WITH_TABLES: bool = true;

export { expandKeys as setKeys } from "./key-schedule";
export { encryptLane } from "./rounds-on-device";
