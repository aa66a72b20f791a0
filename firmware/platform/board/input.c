/* host.inputRead: frames from the UART, two octets of length (big-endian) before each; the length 65,535 is the end. */
#include <string.h>

#include "board.h"
#include "natives.h"

#define END 65535u

/* Of a longer frame, only the beginning is kept: it is refused for its length. */
static uint8_t frame[1240];
static uint32_t length, taken;
static int ended, told;

static int frameWaits(void)
{
	return taken >= 2 && taken - 2 == length;
}

void fillInput(void)
{
	while (!ended && !frameWaits()) {
		const int octet = uartRead();
		if (octet < 0)
			return;
		if (taken < 2) {
			length = length << 8 | (uint32_t)octet;
			ended = ++taken == 2 && length == END;
		} else {
			if (taken - 2 < sizeof frame)
				frame[taken - 2] = (uint8_t)octet;
			taken++;
		}
	}
}

int inputIsOpen(void)
{
	return !ended;
}

int inputWaits(void)
{
	return ended ? !told : frameWaits();
}

void inputIsTold(void)
{
	told = ended;
}

static void inputRead(xsMachine *the)
{
	Octets into = writableArgument(the, 0, "into");
	fillInput();
	if (ended || !frameWaits()) {
		told = ended;
		xsmcSetInteger(xsResult, ended ? -2 : -1);
		return;
	}
	const uint32_t kept = length < sizeof frame ? length : sizeof frame;
	memcpy(into.data, frame, kept < into.length ? kept : into.length);
	xsmcSetInteger(xsResult, (xsIntegerValue)length);
	length = taken = 0;
}

const Native inputNatives[] = {
	{ "inputRead", inputRead, 1 },
	{ NULL, NULL, 0 },
};
