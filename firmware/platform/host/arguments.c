/* Checks of what a bundle hands to a native function. */
#include <math.h>

#include "natives.h"

static int isNumber(xsMachine *the, int index)
{
	if (index >= xsmcArgc)
		return 0;
	int type = xsmcTypeOf(xsArg(index));
	return type == xsIntegerType || type == xsNumberType;
}

static Octets octetsArgument(xsMachine *the, int index, const char *name, int writable)
{
	void *data = NULL;
	xsUnsignedValue length = 0;
	if (index >= xsmcArgc || xsmcTypeOf(xsArg(index)) != xsReferenceType)
		xsTypeError("%s must be a Uint8Array.", name);
	_xsmcGetBuffer(the, &xsArg(index), &data, &length, writable);
	return (Octets){ data, length };
}

Octets readableArgument(xsMachine *the, int index, const char *name)
{
	return octetsArgument(the, index, name, 0);
}

Octets writableArgument(xsMachine *the, int index, const char *name)
{
	return octetsArgument(the, index, name, 1);
}

uint32_t unsignedArgument(xsMachine *the, int index, const char *name, uint32_t most)
{
	if (!isNumber(the, index))
		xsTypeError("%s must be a number.", name);
	double value = xsmcToNumber(xsArg(index));
	/* Written so that NaN fails. */
	if (!(value >= 0 && value <= most) || value != (uint32_t)value)
		xsRangeError("%s must be an integer from 0 to %u.", name, (unsigned)most);
	return (uint32_t)value;
}

double numberArgument(xsMachine *the, int index, const char *name)
{
	if (!isNumber(the, index))
		xsTypeError("%s must be a number.", name);
	double value = xsmcToNumber(xsArg(index));
	if (!isfinite(value))
		xsRangeError("%s must be finite.", name);
	return value;
}

int isUndefinedArgument(xsMachine *the, int index)
{
	return index >= xsmcArgc || xsmcTypeOf(xsArg(index)) == xsUndefinedType;
}

char *stringArgument(xsMachine *the, int index, const char *name)
{
	int type = index < xsmcArgc ? xsmcTypeOf(xsArg(index)) : xsUndefinedType;
	if (type != xsStringType && type != xsStringXType)
		xsTypeError("%s must be a string.", name);
	return xsmcToString(xsArg(index));
}
