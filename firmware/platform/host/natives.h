/* The native functions of the global object `host`, one group per file, and how they look at their arguments. */
#ifndef BEST_NATIVES_H
#define BEST_NATIVES_H

#include <stdint.h>

#include "engine.h"

typedef struct {
	const char *name;
	xsCallback function;
	int length;
} Native;

/* Each ends with an entry whose name is NULL. */
extern const Native udpNatives[], storeNatives[], systemNatives[], kernelNatives[], inputNatives[], serialNatives[];

/*
 * Arguments, checked without conversion: nothing of the bundle runs and nothing is allocated, so that octets fetched
 * before stay where they are. Each throws a TypeError or RangeError that names what is wrong.
 */
typedef struct {
	uint8_t *data;
	uint32_t length;
} Octets;

/* A Uint8Array's octets; valid until something is allocated. */
Octets readableArgument(xsMachine *the, int index, const char *name);
Octets writableArgument(xsMachine *the, int index, const char *name);
/* An integer from 0 to `most`. */
uint32_t unsignedArgument(xsMachine *the, int index, const char *name, uint32_t most);
/* A finite number. */
double numberArgument(xsMachine *the, int index, const char *name);
int isUndefinedArgument(xsMachine *the, int index);
/* A string, valid until something is allocated. */
char *stringArgument(xsMachine *the, int index, const char *name);

/* Octets of a key set of the kernels. */
extern const int kernelKeySetOctets;
extern const char *const kernelName;

/* The loop's view of each group. */
double millisecondsNow(void);
/* The moment of the alarm in milliseconds, INFINITY where none is set. */
extern double alarmAt;
/* The open socket, −1 where there is none. */
extern int udpSocket;
/* True if a datagram waits; forgets the errors of datagrams that were sent. */
int datagramWaits(void);
/* 0, or −1 with errno where the directory can be neither opened nor made. */
int openStore(const char *directory);
/* Takes what waits on standard input. */
void fillInput(void);
/* True while the end of standard input has not been seen. */
int inputIsOpen(void);
/* True if a whole frame waits, or the end has been reached and not yet been told. */
int inputWaits(void);
/* Called when the bundle is about to be told: the end is told once. */
void inputIsTold(void);
/* A serial line; −1 where there is none. The buffer holds what has been read, and not yet been asked for. */
typedef struct {
	int line;
	/* Of a pseudo-terminal. */
	char path[64];
	size_t filled;
	size_t taken;
	uint8_t buffer[256];
} SerialLine;

/* In this order for the bundle as well. */
enum { CONSOLE_LINE, MODEM_LINE, SERIAL_LINES };
extern SerialLine serialLines[SERIAL_LINES];
/*
 * Opens a terminal, or makes a pseudo-terminal for the path "pty".
 * Its path, NULL with errno where that cannot be.
 */
const char *openSerial(SerialLine *serial, const char *path);
/* True if octets wait. */
int serialWaits(SerialLine *serial);

#endif
