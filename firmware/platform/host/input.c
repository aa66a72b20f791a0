/* host.inputRead: frames from standard input, two octets of length (big-endian) before each. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "natives.h"

#define PREFIX 2

/* One frame of the longest kind; the rest stays in the pipe. */
static uint8_t buffer[PREFIX + 65535];
static size_t filled;
static int ended;
static int told;

static size_t frameLength(void)
{
	return (size_t)buffer[0] << 8 | buffer[1];
}

static int frameWaits(void)
{
	return filled >= PREFIX && filled >= PREFIX + frameLength();
}

void fillInput(void)
{
	/* Standard input may be shared with other programs, so it stays blocking and is asked first. */
	struct pollfd waiting = { .fd = STDIN_FILENO, .events = POLLIN };
	while (!ended && !frameWaits() && poll(&waiting, 1, 0) > 0) {
		ssize_t length = read(STDIN_FILENO, buffer + filled, sizeof buffer - filled);
		if (length > 0)
			filled += (size_t)length;
		else if (length == 0 || (errno != EINTR && errno != EAGAIN))
			ended = 1;
		else
			return;
	}
}

int inputIsOpen(void)
{
	return !ended;
}

int inputWaits(void)
{
	return frameWaits() || (ended && !told);
}

void inputIsTold(void)
{
	told = ended && !frameWaits();
}

static void inputRead(xsMachine *the)
{
	Octets into = writableArgument(the, 0, "into");
	fillInput();
	if (!frameWaits()) {
		told = ended;
		xsmcSetInteger(xsResult, ended ? -2 : -1);
		return;
	}
	size_t length = frameLength();
	memcpy(into.data, buffer + PREFIX, length < into.length ? length : into.length);
	filled -= PREFIX + length;
	memmove(buffer, buffer + PREFIX + length, filled);
	xsmcSetInteger(xsResult, (xsIntegerValue)length);
}

const Native inputNatives[] = {
	{ "inputRead", inputRead, 1 },
	{ NULL, NULL, 0 },
};
