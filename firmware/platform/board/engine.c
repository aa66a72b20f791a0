/* The one file that knows the engine from inside: memory, failures, promise jobs. */
#include "xsAll.h"

#include "board.h"
#include "machine.h"

/* The ROM image. */
extern txMachine romMachine;

/*
 * Slots from the start for a session and its downlinks: the engine takes more only where a collection frees none at all,
 * so that with few free ones it would collect for every message.
 */
static const txCreation ofTheDevice = {
	.initialChunkSize = 4 * 1024,
	.incrementalChunkSize = 1024,
	.initialHeapCount = 960,
	.incrementalHeapCount = 64,
	.stackCount = 512,
	.initialKeyCount = 32,
	.incrementalKeyCount = 16,
	.nameModulo = NAME_MODULO,
	.symbolModulo = SYMBOL_MODULO,
};

xsMachine *createMachine(void)
{
	txCreation creation = ofTheDevice;
	return fxCloneMachine(&creation, &romMachine, "best", NULL);
}

void fxCreateMachinePlatform(txMachine *the)
{
	the->exhausted = NULL;
	the->promiseJobs = 0;
}

void fxDeleteMachinePlatform(txMachine *the)
{
	(void)the;
}

char *fxCStackLimit(void)
{
	return stackLimit();
}

void *fxAllocateChunks(txMachine *the, txSize size)
{
	void *memory = takeFromPool((size_t)size, 0);
	if (!memory)
		the->exhausted = "chunks";
	return memory;
}

void fxFreeChunks(txMachine *the, void *chunks)
{
	(void)the;
	(void)chunks;
}

txSlot *fxAllocateSlots(txMachine *the, txSize count)
{
	void *memory = takeFromPool((size_t)count * sizeof(txSlot), 1);
	if (!memory)
		the->exhausted = "slots";
	return memory;
}

void fxFreeSlots(txMachine *the, void *slots)
{
	(void)the;
	(void)slots;
}

/* An exception's text as one line, whatever it holds. */
static void printException(txMachine *the)
{
	char *volatile text = "an exception that has no text";
	mxTry(the) {
		text = fxToString(the, &mxException);
	}
	mxCatch(the) {
	}
	complain("%s", text);
}

/* Every failure ends in a clear line and a reset. */
void fxAbort(txMachine *the, int status)
{
	switch (status) {
	case XS_UNHANDLED_EXCEPTION_EXIT:
	case XS_UNHANDLED_REJECTION_EXIT:
		printException(the);
		break;
	case XS_NOT_ENOUGH_MEMORY_EXIT:
		complain("memory is exhausted: no room for %s (slots in use %u octets, chunks in use %u octets, taken %u octets).",
			the->exhausted ? the->exhausted : "the engine's tables", (unsigned)(the->currentHeapCount * sizeof(txSlot)),
			(unsigned)the->currentChunksSize, (unsigned)(memoryPeaks().pool + memoryPeaks().cHeap));
		break;
	case XS_STACK_OVERFLOW_EXIT:
		complain("the stack is exhausted: calls are nested too deep.");
		break;
	case XS_NO_MORE_KEYS_EXIT:
		complain("the table of names is exhausted.");
		break;
	default:
		complain("the engine gave up (status %d).", status);
		break;
	}
	resetBoard();
}

void fxQueuePromiseJobs(txMachine *the)
{
	the->promiseJobs = 1;
}

void runPromiseJobs(xsMachine *the)
{
	while (the->promiseJobs) {
		the->promiseJobs = 0;
		fxRunPromiseJobs(the);
	}
	fxEndJob(the);
	fxCheckUnhandledRejections(the, 1);
}

void countStatistics(xsMachine *the, Statistics *statistics)
{
	fxCollectGarbage(the);
	*statistics = (Statistics){
		.slots = (uint32_t)the->currentHeapCount,
		.slotOctets = sizeof(txSlot),
		.heapOctets = (double)the->currentHeapCount * sizeof(txSlot) + the->currentChunksSize,
		.slotPeakOctets = (double)the->peakHeapCount * sizeof(txSlot),
		.chunkPeakOctets = (double)the->peakChunksSize,
		.reservedOctets = (double)memoryPeaks().pool,
	};
}

double heapInUse(xsMachine *the)
{
	return (double)the->currentHeapCount * sizeof(txSlot) + the->currentChunksSize;
}

const char *engineDescription(void)
{
	static char description[32];
	snprintf(description, sizeof description, "XS %d.%d.%d", XS_MAJOR_VERSION, XS_MINOR_VERSION, XS_PATCH_VERSION);
	return description;
}
