/** Calls itself until the stack is used up. */
const deeper = (n: number): number => deeper(n + 1) + 1;
deeper(0);
