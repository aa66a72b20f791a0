/* The global object `host`, as a bundle finds it. Made while preloading; it is part of the ROM image. */
#include "machine.h"

static void defineNatives(xsMachine *the, const Native *native)
{
	for (; native->name; native++) {
		xsVar(0) = xsNewHostFunction(native->function, native->length);
		xsmcDefine(xsResult, xsID((char *)native->name), xsVar(0), xsDontEnum);
	}
}

void defineHost(xsMachine *machine)
{
	xsBeginHost(machine);
	xsmcVars(1);
	xsmcSetNewObject(xsResult);
	/* A property is found by going through the earlier ones: those of every message come first. */
	defineNatives(the, kernelNatives);
	defineNatives(the, udpNatives);
	defineNatives(the, inputNatives);
	defineNatives(the, systemNatives);
	defineNatives(the, storeNatives);
	defineNatives(the, measureNatives);
	xsmcSetInteger(xsVar(0), kernelKeySetOctets);
	xsmcSet(xsResult, xsID("kernelKeySetOctets"), xsVar(0));
	xsmcSetString(xsVar(0), (char *)kernelName);
	xsmcSet(xsResult, xsID("kernelName"), xsVar(0));
	xsmcSet(xsGlobal, xsID("host"), xsResult);
	xsEndHost(machine);
}
