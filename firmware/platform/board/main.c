/* The firmware on the board: clones the machine of the ROM image, starts the bundle, then waits for what happens. */
#include <math.h>
#include <stdint.h>

#include "board.h"
#include "machine.h"

static xsSlot host;

static int isSet(xsMachine *machine, xsIdentifier callback)
{
	volatile int set = 0;
	xsBeginHost(machine);
	xsResult = xsAccess(host);
	xsmcGet(xsResult, xsResult, callback);
	set = xsmcTypeOf(xsResult) == xsReferenceType;
	xsEndHost(machine);
	return set;
}

/* An exception that escapes ends in a reset (fxAbort). */
static void call(xsMachine *machine, xsIdentifier callback)
{
	xsBeginHost(machine);
	xsmcVars(1);
	xsResult = xsAccess(host);
	xsmcSetInteger(xsVar(0), 1);
	xsmcCall_noResult(xsResult, callback, &xsVar(0), NULL);
	xsEndHost(machine);
	runPromiseJobs(machine);
}

/* The bundle's classes are in the image; its function `start` does the rest. */
static void start(xsMachine *machine)
{
	xsBeginHost(machine);
	xsmcGet(xsResult, xsGlobal, xsID("host"));
	host = xsResult;
	xsRemember(host);
	bootTicks = (double)ticksNow();
	xsmcCall_noResult(xsGlobal, xsID("start"), NULL);
	xsEndHost(machine);
	runPromiseJobs(machine);
}

static void setWake(void)
{
	const double left = ceil((alarmAt - millisecondsNow()) * TICKS_PER_MILLISECOND);
	wakeAfter(left < 1 ? 1 : left < UINT32_MAX ? (uint32_t)left : UINT32_MAX);
}

/* One turn: each callback that has a reason, once, or a wait. False when nothing can happen any more. */
static int turn(xsMachine *the, const xsIdentifier onReadable, const xsIdentifier onAlarm, const xsIdentifier onInput)
{
	const int readable = isSet(the, onReadable) && udpSocket >= 0;
	const int alarm = isSet(the, onAlarm) && alarmAt < INFINITY;
	const int input = isSet(the, onInput) && (inputIsOpen() || inputWaits());
	if (!readable && !alarm && !input)
		return 0;
	fillInput();
	if (alarm && alarmAt <= millisecondsNow()) {
		alarmAt = INFINITY;
		call(the, onAlarm);
	} else if (input && inputWaits()) {
		inputIsTold();
		call(the, onInput);
	} else if (readable && datagramWaits())
		call(the, onReadable);
	else {
		if (alarm)
			setWake();
		waitForInterrupt();
		wakeAfter(0);
		(void)ticksNow();
	}
	return 1;
}

int main(void)
{
	initializeEthernet();
	openStore("");
	xsMachine *machine = createMachine();
	if (!machine) {
		complain("memory is exhausted: no room for the engine.");
		resetBoard();
	}
	start(machine);
	const xsIdentifier onReadable = fxID(machine, "onReadable");
	const xsIdentifier onAlarm = fxID(machine, "onAlarm");
	const xsIdentifier onInput = fxID(machine, "onInput");
	while (turn(machine, onReadable, onAlarm, onInput)) {
	}
	exitBoard(0);
}
