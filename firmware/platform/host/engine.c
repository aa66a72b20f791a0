/* The one file that knows the engine from inside: memory, failures, promise jobs, scripts. */
#include "xsAll.h"
#include "xsScript.h"

#include "engine.h"

/* The most that slots, chunks and stack may take together: far above any device, so that a leak ends in a clear line. */
#define HEAP_LIMIT ((size_t)16 * 1024 * 1024)

xsMachine *createMachine(void)
{
	txCreation creation = {
		.initialChunkSize = 64 * 1024,
		.incrementalChunkSize = 16 * 1024,
		.initialHeapCount = 4096,
		.incrementalHeapCount = 1024,
		.stackCount = 4096,
		.initialKeyCount = 2048,
		.incrementalKeyCount = 256,
		.nameModulo = 1993,
		.symbolModulo = 127,
		.parserBufferSize = 64 * 1024,
		.parserTableModulo = 1993,
	};
	return fxCreateMachine(&creation, "best", NULL, XS_NO_ID);
}

void fxCreateMachinePlatform(txMachine *the)
{
	the->reserved = 0;
	the->exhausted = NULL;
	the->promiseJobs = 0;
}

void fxDeleteMachinePlatform(txMachine *the)
{
	(void)the;
}

static void *reserve(txMachine *the, size_t octets, const char *name)
{
	void *memory = the->reserved + octets <= HEAP_LIMIT ? malloc(octets) : NULL;
	if (memory)
		the->reserved += octets;
	else
		the->exhausted = name;
	return memory;
}

void *fxAllocateChunks(txMachine *the, txSize size)
{
	return reserve(the, (size_t)size, "chunks");
}

void fxFreeChunks(txMachine *the, void *chunks)
{
	(void)the;
	free(chunks);
}

txSlot *fxAllocateSlots(txMachine *the, txSize count)
{
	return reserve(the, (size_t)count * sizeof(txSlot), "slots");
}

void fxFreeSlots(txMachine *the, void *slots)
{
	(void)the;
	free(slots);
}

/* Prints an exception's text as one line, whatever it holds. */
static void printException(txMachine *the)
{
	char *volatile text = "an exception that has no text";
	mxTry(the) {
		text = fxToString(the, &mxException);
	}
	mxCatch(the) {
	}
	fputs("xs-host: ", stderr);
	for (; *text; text++)
		fputc(*text == '\n' || *text == '\r' ? ' ' : *text, stderr);
	fputc('\n', stderr);
}

static void printMemory(txMachine *the)
{
	fprintf(stderr,
		"xs-host: memory is exhausted: no room for %s in %zu octets (slots in use %ld octets, chunks in use %ld octets, "
		"reserved %zu octets).\n",
		the->exhausted ? the->exhausted : "the engine's tables", HEAP_LIMIT,
		(long)((size_t)the->currentHeapCount * sizeof(txSlot)), (long)the->currentChunksSize, the->reserved);
}

/* Every failure ends the program: a device would restart. */
void fxAbort(txMachine *the, int status)
{
	fflush(stdout);
	switch (status) {
	case XS_UNHANDLED_EXCEPTION_EXIT:
	case XS_UNHANDLED_REJECTION_EXIT:
		printException(the);
		break;
	case XS_NOT_ENOUGH_MEMORY_EXIT:
		printMemory(the);
		break;
	case XS_STACK_OVERFLOW_EXIT:
		fprintf(stderr, "xs-host: the stack is exhausted: calls are nested too deep.\n");
		break;
	case XS_NO_MORE_KEYS_EXIT:
		fprintf(stderr, "xs-host: the table of names is exhausted.\n");
		break;
	default:
		fprintf(stderr, "xs-host: the engine gave up (status %d).\n", status);
		break;
	}
	_exit(1);
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

void runScript(xsMachine *the, char *source, uint32_t length)
{
	txStringCStream stream = { .buffer = source, .offset = 0, .size = (txSize)length };
	txSlot *realm = mxProgram.value.reference->next->value.module.realm;
	txScript *script = fxParseScript(the, &stream, fxStringCGetter, mxProgramFlag);
	fxRunScript(the, script, mxRealmGlobal(realm), C_NULL, mxRealmClosures(realm)->value.reference, C_NULL,
		mxProgram.value.reference);
	mxPullSlot(mxResult);
}

void countStatistics(xsMachine *the, Statistics *statistics)
{
	statistics->meter = the->meterIndex;
	fxCollectGarbage(the);
	statistics->slots = (uint32_t)the->currentHeapCount;
	statistics->slotOctets = sizeof(txSlot);
	statistics->heapOctets = (double)the->currentHeapCount * sizeof(txSlot) + the->currentChunksSize;
	statistics->slotPeakOctets = (double)the->peakHeapCount * sizeof(txSlot);
	statistics->chunkPeakOctets = (double)the->peakChunksSize;
	statistics->reservedOctets = (double)the->reserved;
}

const char *engineDescription(void)
{
	static char description[32];
	snprintf(description, sizeof description, "XS %d.%d.%d", XS_MAJOR_VERSION, XS_MINOR_VERSION, XS_PATCH_VERSION);
	return description;
}
