/* The engine as the rest of the host sees it: run a bundle, run promise jobs, count memory. */
#ifndef BEST_ENGINE_H
#define BEST_ENGINE_H

#include <stdint.h>

#include "xs.h"
#include "xsmc.h"

typedef struct {
	/* Octets of live slots and chunks, after a garbage collection made for this count. */
	double heapOctets;
	/*
	 * The most octets that slots took at one moment, and chunks at one moment, as the engine counts them: garbage not
	 * yet collected is included, memory reserved but unused is not, and neither are the stack, the tables of names and
	 * the parser's own memory. Slots are in use from the free list, chunks with their headers and padding.
	 */
	double slotPeakOctets;
	double chunkPeakOctets;
	/* Octets of slots, chunks and stack that are reserved from the C heap, used or not. */
	double reservedOctets;
	/* Slots that are in use after that collection, and the octets of one: 32 here, 16 on a 32-bit device. */
	uint32_t slots;
	uint32_t slotOctets;
	/* What has been executed since the start, modulo 2^32: the same from run to run and on every processor. */
	uint32_t meter;
} Statistics;

xsMachine *createMachine(void);

/* Evaluates a script; `source` ends with a zero octet. */
void runScript(xsMachine *the, char *source, uint32_t length);

/* Runs promise jobs until none is left, then ends the program if a rejected promise has no handler. */
void runPromiseJobs(xsMachine *the);

void countStatistics(xsMachine *the, Statistics *statistics);

/* "XS 13.3.0" */
const char *engineDescription(void);

#endif
