/* host.store…: values by key in flash (log.h). */
#include <string.h>

#include "board.h"
#include "log.h"
#include "natives.h"

int openStore(const char *directory)
{
	(void)directory;
	openLog();
	return 0;
}

static void keyArgument(xsMachine *the, char key[LOG_KEY_LIMIT + 1])
{
	const char *given = stringArgument(the, 0, "key");
	const size_t length = strlen(given);
	if (length == 0 || length > LOG_KEY_LIMIT || strspn(given, "abcdefghijklmnopqrstuvwxyz0123456789-") != length)
		xsRangeError("A key has 1 to %d characters of a-z, 0-9 and \"-\".", (int)LOG_KEY_LIMIT);
	memcpy(key, given, length + 1);
}

static void storeRead(xsMachine *the)
{
	char key[LOG_KEY_LIMIT + 1];
	uint32_t length;
	keyArgument(the, key);
	const uint8_t *value = readLog(key, &length);
	if (value == NULL)
		return;
	xsmcVars(1);
	xsmcSetArrayBuffer(xsVar(0), (void *)value, (xsIntegerValue)length);
	xsmcNew(xsResult, xsGlobal, xsID("Uint8Array"), &xsVar(0), NULL);
}

static void storeWrite(xsMachine *the)
{
	char key[LOG_KEY_LIMIT + 1];
	keyArgument(the, key);
	Octets value = readableArgument(the, 1, "value");
	if (value.length > LOG_VALUE_LIMIT)
		xsRangeError("A value has at most %d octets.", (int)LOG_VALUE_LIMIT);
	if (!writeLog(key, value.data, value.length))
		xsUnknownError("\"%s\" cannot be written to the store: it is full.", key);
}

static void storeDelete(xsMachine *the)
{
	char key[LOG_KEY_LIMIT + 1];
	uint32_t length;
	keyArgument(the, key);
	if (readLog(key, &length) != NULL && !writeLog(key, NULL, 0))
		xsUnknownError("\"%s\" cannot be deleted from the store: it is full.", key);
}

const Native storeNatives[] = {
	{ "storeRead", storeRead, 1 },
	{ "storeWrite", storeWrite, 2 },
	{ "storeDelete", storeDelete, 1 },
	{ NULL, NULL, 0 },
};
