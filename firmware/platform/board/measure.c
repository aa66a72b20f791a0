/* host.ticks, kernelTicks, inUse, collect: for the measuring program alone; nothing else names them, so nothing else has them. */
#include <string.h>

#include "best-kernel.h"
#include "board.h"
#include "machine.h"

/* Ticks of the timer since the start. */
static void ticks(xsMachine *the)
{
	xsmcSetNumber(xsResult, (double)ticksNow());
}

/* Ticks from the processor's start to the first line of the bundle. */
double bootTicks;

static void boot(xsMachine *the)
{
	xsmcSetNumber(xsResult, bootTicks);
}

/* What an operation takes: 0 nothing, 1 a loop of 10,000 times two instructions, 2 to expand keys, 3 to protect a message. */
static void kernelTicks(xsMachine *the)
{
	static uint8_t keySet[BEST_KERNEL_KEY_SET_OCTETS], message[BEST_KERNEL_MESSAGE_OCTETS];
	const uint32_t operation = unsignedArgument(the, 0, "operation", 3);
	const uint32_t length = unsignedArgument(the, 1, "length", BEST_KERNEL_MESSAGE_OCTETS - 4);
	uint8_t keys[32];
	for (unsigned i = 0; i < sizeof keys; i++) keys[i] = (uint8_t)(7 * i);
	const uint64_t from = ticksNow();
	if (operation == 1) {
		uint32_t count = 10000;
		__asm volatile("1: subs %0, %0, #1\n bne 1b" : "+r"(count)::"cc");
	} else if (operation == 2)
		best_kernel_set_keys(keySet, keys, keys + 16);
	else if (operation == 3)
		best_kernel_protect(keySet, message, 1, 4, 0, length, 4);
	xsmcSetNumber(xsResult, (double)(ticksNow() - from));
}

/* Octets of slots and chunks in use, those that are garbage already included; nothing is collected for it. */
static void inUse(xsMachine *the)
{
	xsmcSetNumber(xsResult, heapInUse(the));
}

/* Collects garbage now, so that the operation measured next does not. */
static void collect(xsMachine *the)
{
	xsCollectGarbage();
}

const Native measureNatives[] = {
	{ "ticks", ticks, 0 },
	{ "bootTicks", boot, 0 },
	{ "kernelTicks", kernelTicks, 2 },
	{ "inUse", inUse, 0 },
	{ "collect", collect, 0 },
	{ NULL, NULL, 0 },
};
