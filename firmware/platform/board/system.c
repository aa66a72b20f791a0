/* host.now, setAlarm, random, print, statistics, exit. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "board.h"
#include "natives.h"

double alarmAt = INFINITY;

double millisecondsNow(void)
{
	return (double)ticksNow() / TICKS_PER_MILLISECOND;
}

static void now(xsMachine *the)
{
	xsmcSetNumber(xsResult, millisecondsNow());
}

static void setAlarm(xsMachine *the)
{
	alarmAt = isUndefinedArgument(the, 0) ? INFINITY : numberArgument(the, 0, "at");
}

static void fillRandom(xsMachine *the)
{
	Octets into = writableArgument(the, 0, "into");
	if (!takeRandom(into.data, into.length))
		xsUnknownError("The host has given too few random octets.");
}

static void print(xsMachine *the)
{
	const char *text = stringArgument(the, 0, "text");
	uartWrite(text, strlen(text));
	uartWrite("\n", 1);
}

static void setMember(xsMachine *the, char *name, double value)
{
	xsmcSetNumber(xsVar(0), value);
	xsmcSet(xsResult, xsID(name), xsVar(0));
}

static void statistics(xsMachine *the)
{
	Statistics counted;
	const MemoryPeaks peaks = memoryPeaks();
	countStatistics(the, &counted);
	xsmcVars(1);
	xsmcSetNewObject(xsResult);
	setMember(the, "heapBytes", counted.heapOctets);
	/* All that was taken, used or not, for slots, chunks, the engine's stack and its tables. */
	setMember(the, "heapPeakBytes", peaks.pool + peaks.cHeap);
	setMember(the, "slotPeakBytes", counted.slotPeakOctets);
	setMember(the, "chunkPeakBytes", counted.chunkPeakOctets);
	setMember(the, "reservedBytes", counted.reservedOctets);
	setMember(the, "slots", counted.slots);
	setMember(the, "slotBytes", counted.slotOctets);
	setMember(the, "stackPeakBytes", peaks.stack);
	xsmcSetString(xsVar(0), (char *)engineDescription());
	xsmcSet(xsResult, xsID("engine"), xsVar(0));
}

static void exitProgram(xsMachine *the)
{
	const int status = (int)unsignedArgument(the, 0, "status", 255);
	const MemoryPeaks peaks = memoryPeaks();
	char line[120];
	/* For the program that watches the board: the most that was taken of each kind of memory. */
	snprintf(line, sizeof line, "{\"event\":\"board\",\"heapPeakBytes\":%u,\"stackPeakBytes\":%u}\n",
		(unsigned)(peaks.pool + peaks.cHeap), (unsigned)peaks.stack);
	uartWrite(line, strlen(line));
	exitBoard(status);
}

const Native systemNatives[] = {
	{ "now", now, 0 },
	{ "setAlarm", setAlarm, 1 },
	{ "random", fillRandom, 1 },
	{ "print", print, 1 },
	{ "statistics", statistics, 0 },
	{ "exit", exitProgram, 1 },
	{ NULL, NULL, 0 },
};
