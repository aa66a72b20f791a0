/* host.serialRead and serialWrite: the provisioning console and the modem, on terminals or pseudo-terminals made here. */
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

SerialLine serialLines[SERIAL_LINES] = { { .line = -1 }, { .line = -1 } };

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

static const char *openPseudoTerminal(SerialLine *serial)
{
	int line = posix_openpt(O_RDWR | O_NOCTTY);
	if (line < 0 || grantpt(line) < 0 || unlockpt(line) < 0)
		return NULL;
	const char *path = ptsname(line);
	if (path)
		path = strncpy(serial->path, path, sizeof serial->path - 1);
	/* Held open, so that the line stays up, and raw, while nobody else has it open. */
	int other = path ? open(path, O_RDWR | O_NOCTTY) : -1;
	if (other < 0 || makeRaw(other) < 0)
		return NULL;
	serial->line = line;
	return path;
}

const char *openSerial(SerialLine *serial, const char *path)
{
	if (strcmp(path, "pty") == 0)
		path = openPseudoTerminal(serial);
	else {
		serial->line = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK);
		if (serial->line < 0 || makeRaw(serial->line) < 0)
			return NULL;
	}
	if (path && fcntl(serial->line, F_SETFL, O_NONBLOCK) < 0)
		return NULL;
	return path;
}

int serialWaits(SerialLine *serial)
{
	if (serial->taken < serial->filled)
		return 1;
	ssize_t length = serial->line < 0 ? -1 : read(serial->line, serial->buffer, sizeof serial->buffer);
	serial->taken = 0;
	serial->filled = length > 0 ? (size_t)length : 0;
	if (length == 0 || (length < 0 && errno != EINTR && errno != EAGAIN)) {
		/* Unplugged: the line is gone for good. */
		if (serial->line >= 0)
			close(serial->line);
		serial->line = -1;
	}
	return serial->filled > 0;
}

static SerialLine *lineArgument(xsMachine *the, int index)
{
	return &serialLines[unsignedArgument(the, index, "line", SERIAL_LINES - 1)];
}

static void serialRead(xsMachine *the)
{
	SerialLine *serial = lineArgument(the, 0);
	Octets into = writableArgument(the, 1, "into");
	size_t length = serialWaits(serial) ? serial->filled - serial->taken : 0;
	if (length > into.length)
		length = into.length;
	memcpy(into.data, serial->buffer + serial->taken, length);
	/* It may hold keys of a session, from a card: what is read is not kept. */
	memset(serial->buffer + serial->taken, 0, length);
	serial->taken += length;
	xsmcSetInteger(xsResult, (xsIntegerValue)length);
}

static void serialWrite(xsMachine *the)
{
	SerialLine *serial = lineArgument(the, 0);
	Octets octets = readableArgument(the, 1, "octets");
	uint32_t length = unsignedArgument(the, 2, "length", octets.length);
	/* What the line cannot take is lost, as on a UART that nobody reads. */
	if (serial->line >= 0) {
		ssize_t sent = write(serial->line, octets.data, length);
		(void)sent;
	}
}

const Native serialNatives[] = {
	{ "serialRead", serialRead, 2 },
	{ "serialWrite", serialWrite, 3 },
	{ NULL, NULL, 0 },
};
