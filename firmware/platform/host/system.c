/* host.now, setAlarm, random, print, statistics, exit. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "natives.h"

double alarmAt = INFINITY;

double millisecondsNow(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
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
	for (uint32_t offset = 0; offset < into.length; offset += 256) {
		uint32_t left = into.length - offset;
		/* getentropy gives at most 256 octets at a time. */
		if (getentropy(into.data + offset, left < 256 ? left : 256) < 0)
			xsUnknownError("The system gives no random octets: %s.", strerror(errno));
	}
}

static void print(xsMachine *the)
{
	fputs(stringArgument(the, 0, "text"), stdout);
	fputc('\n', stdout);
	fflush(stdout);
}

static void setMember(xsMachine *the, char *name, double value)
{
	xsmcSetNumber(xsVar(0), value);
	xsmcSet(xsResult, xsID(name), xsVar(0));
}

static void statistics(xsMachine *the)
{
	Statistics counted;
	countStatistics(the, &counted);
	xsmcVars(1);
	xsmcSetNewObject(xsResult);
	setMember(the, "heapBytes", counted.heapOctets);
	setMember(the, "heapPeakBytes", counted.slotPeakOctets + counted.chunkPeakOctets);
	setMember(the, "slotPeakBytes", counted.slotPeakOctets);
	setMember(the, "chunkPeakBytes", counted.chunkPeakOctets);
	setMember(the, "reservedBytes", counted.reservedOctets);
	setMember(the, "slots", counted.slots);
	setMember(the, "slotBytes", counted.slotOctets);
	setMember(the, "meter", counted.meter);
	xsmcSetString(xsVar(0), (char *)engineDescription());
	xsmcSet(xsResult, xsID("engine"), xsVar(0));
}

static void exitProgram(xsMachine *the)
{
	uint32_t status = unsignedArgument(the, 0, "status", 255);
	fflush(stdout);
	_exit((int)status);
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
