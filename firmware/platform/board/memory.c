/* The C heap, the engine's pool and the C stack, with the most that each has taken. */
#include <errno.h>
#include <sys/types.h>

#include "board.h"

extern char cHeapStart[], cHeapEnd[], poolStart[], poolEnd[], stackBottom[], stackTop[];

/* Octets of the stack that the engine leaves to native functions. */
#define STACK_MARGIN 1024

static char *cHeap = cHeapStart;
static char *bottom = poolStart, *top = poolEnd;

void *_sbrk(ptrdiff_t octets)
{
	if (octets > cHeapEnd - cHeap || octets < cHeapStart - cHeap) {
		errno = ENOMEM;
		return (void *)-1;
	}
	cHeap += octets;
	return cHeap - octets;
}

/*
 * Chunks grow from the bottom and slots from the top, so that the engine joins what it takes in pieces. Nothing is given
 * back: the engine never returns memory before its end.
 */
void *takeFromPool(size_t octets, int fromTop)
{
	octets = (octets + 15) & ~(size_t)15;
	if (octets > (size_t)(top - bottom))
		return NULL;
	if (fromTop)
		return top -= octets;
	bottom += octets;
	return bottom - octets;
}

char *stackLimit(void)
{
	return stackBottom + STACK_MARGIN;
}

MemoryPeaks memoryPeaks(void)
{
	const uint32_t *word = (const uint32_t *)stackBottom;
	while ((const char *)word < stackTop && *word == 0x5ac35ac3) word++;
	return (MemoryPeaks){
		.pool = (uint32_t)(bottom - poolStart + (poolEnd - top)),
		.cHeap = (uint32_t)(cHeap - cHeapStart),
		.stack = (uint32_t)(stackTop - (const char *)word),
	};
}
