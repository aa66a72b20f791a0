/**
 * The exports that devices take: the cipher alone. Their modes of operation are in firmware/kernels/native/best-kernel.c,
 * which works on a message where it lies, so that linear memory holds no more than STATE and one key set.
 */
export { encrypt } from "./fixslice";
export { expandKeys as setKeys } from "./key-schedule";
