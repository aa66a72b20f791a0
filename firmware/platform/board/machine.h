/* The engine on the board, beyond what host/engine.h says. */
#ifndef BEST_MACHINE_H
#define BEST_MACHINE_H

#include "natives.h"

/*
 * What the machine that is preloaded and the one that is cloned from it have in common: entries of the hash tables of
 * names and symbols, each of which costs 4 octets of RAM.
 */
#define NAME_MODULO 127
#define SYMBOL_MODULO 11

/* Octets of slots and chunks in use, garbage included. */
double heapInUse(xsMachine *the);

/* Ticks when the bundle began. */
extern double bootTicks;

extern const Native measureNatives[];

/* Makes the global object `host`: while preloading, so that it is in the image. */
void defineHost(xsMachine *machine);

#endif
