/* CMSDK UART 0: what the firmware prints, and the readings that come in. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "board.h"

#define UART 0x40004000u
#define DATA REGISTER(UART)
#define STATE REGISTER(UART + 4)
#define CONTROL REGISTER(UART + 8)
#define INTERRUPT REGISTER(UART + 12)
#define DIVIDER REGISTER(UART + 16)

enum { TRANSMIT_FULL = 1, RECEIVE_FULL = 2 };

void initializeUart(void)
{
	DIVIDER = 16;
	/* Transmitter, receiver, interrupt of the receiver. */
	CONTROL = 1 | 2 | 8;
	enableInterrupt(IRQ_UART_RECEIVE);
}

void uartWrite(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		while (STATE & TRANSMIT_FULL) {
		}
		DATA = (uint8_t)text[i];
	}
}

int uartRead(void)
{
	INTERRUPT = 2;
	return STATE & RECEIVE_FULL ? (int)(DATA & 0xff) : -1;
}

void complain(const char *format, ...)
{
	/* Static: there may be little stack left. */
	static char line[200];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	uartWrite("board: ", 7);
	uartWrite(line, strlen(line));
	uartWrite("\n", 1);
}
