/** Takes memory until there is none left. */
const list: Uint8Array[] = [];
for (;;) list.push(new Uint8Array(64));
