/*
 * The cryptographic source of a target. The SDK's `rng` module and Math.random are none: both are seeded by rand().
 * A board's generator belongs here once its own conditions (an entropy source that is switched on) are seen to.
 */
#include "xsmc.h"
#include "xsHost.h"

#if defined(__linux__) || defined(__APPLE__)
#include <errno.h>
#include <string.h>
#include <sys/random.h>

/* getentropy gives at most this much at a time. */
#define PIECE 256

void xs_best_random_fill(xsMachine *the)
{
	void *buffer;
	xsUnsignedValue length;
	xsmcGetBufferWritable(xsArg(0), &buffer, &length);
	for (xsUnsignedValue offset = 0; offset < length; offset += PIECE) {
		xsUnsignedValue left = length - offset;
		if (getentropy((char *)buffer + offset, left < PIECE ? left : PIECE) < 0)
			xsUnknownError("The system gives no random octets: %s.", strerror(errno));
	}
}
#else
void xs_best_random_fill(xsMachine *the)
{
	xsUnknownError("This device has no cryptographic source of random octets.");
}
#endif
