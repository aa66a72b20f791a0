/* host.serialRead and serialWrite: the provisioning console, on a terminal or a pseudo-terminal made here. */
/* posix_openpt and cfmakeraw */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "natives.h"

int serialLine = -1;

/* Octets as they come, both ways. A pseudo-terminal has no speed to set. */
static int makeRaw(int terminal)
{
	struct termios settings;
	if (tcgetattr(terminal, &settings) < 0)
		return -1;
	cfmakeraw(&settings);
	settings.c_cflag |= CLOCAL | CREAD;
	settings.c_cc[VMIN] = 1;
	settings.c_cc[VTIME] = 0;
	cfsetispeed(&settings, B115200);
	cfsetospeed(&settings, B115200);
	return tcsetattr(terminal, TCSANOW, &settings);
}

static const char *openPseudoTerminal(void)
{
	int line = posix_openpt(O_RDWR | O_NOCTTY);
	if (line < 0 || grantpt(line) < 0 || unlockpt(line) < 0)
		return NULL;
	const char *path = ptsname(line);
	/* Held open, so that the line stays up, and raw, while nobody else has it open. */
	int other = path ? open(path, O_RDWR | O_NOCTTY) : -1;
	if (other < 0 || makeRaw(other) < 0)
		return NULL;
	serialLine = line;
	return path;
}

const char *openSerial(const char *path)
{
	if (strcmp(path, "pty") == 0)
		path = openPseudoTerminal();
	else {
		serialLine = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK);
		if (serialLine < 0 || makeRaw(serialLine) < 0)
			return NULL;
	}
	if (path && fcntl(serialLine, F_SETFL, O_NONBLOCK) < 0)
		return NULL;
	return path;
}

/* What has been read, and not yet been asked for. */
static uint8_t buffer[256];
static size_t filled;
static size_t taken;

int serialWaits(void)
{
	if (taken < filled)
		return 1;
	ssize_t length = serialLine < 0 ? -1 : read(serialLine, buffer, sizeof buffer);
	taken = 0;
	filled = length > 0 ? (size_t)length : 0;
	if (length == 0 || (length < 0 && errno != EINTR && errno != EAGAIN)) {
		/* Unplugged: the console is gone for good. */
		if (serialLine >= 0)
			close(serialLine);
		serialLine = -1;
	}
	return filled > 0;
}

static void serialRead(xsMachine *the)
{
	Octets into = writableArgument(the, 0, "into");
	size_t length = serialWaits() ? filled - taken : 0;
	if (length > into.length)
		length = into.length;
	memcpy(into.data, buffer + taken, length);
	/* Sealed, but what is read is not kept. */
	memset(buffer + taken, 0, length);
	taken += length;
	xsmcSetInteger(xsResult, (xsIntegerValue)length);
}

static void serialWrite(xsMachine *the)
{
	Octets octets = readableArgument(the, 0, "octets");
	uint32_t length = unsignedArgument(the, 1, "length", octets.length);
	/* What the line cannot take is lost, as on a UART that nobody reads. */
	if (serialLine >= 0) {
		ssize_t sent = write(serialLine, octets.data, length);
		(void)sent;
	}
}

const Native serialNatives[] = {
	{ "serialRead", serialRead, 1 },
	{ "serialWrite", serialWrite, 2 },
	{ NULL, NULL, 0 },
};
