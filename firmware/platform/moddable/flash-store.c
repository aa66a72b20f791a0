/* Values by key in two pages of flash, for flash-store.ts. */
#include <string.h>

#include "log.h"
#include "xsmc.h"
#include "xsHost.h"

static void keyArgument(xsMachine *the, char key[LOG_KEY_LIMIT + 1])
{
	xsmcToStringBuffer(xsArg(0), key, LOG_KEY_LIMIT + 1);
	const size_t length = strlen(key);
	if (length == 0 || strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789-") != length)
		xsRangeError("A key has 1 to 32 characters of a-z, 0-9 and \"-\".");
}

void xs_best_store_open(xsMachine *the)
{
	(void)the;
	openLog();
}

void xs_best_store_read(xsMachine *the)
{
	char key[LOG_KEY_LIMIT + 1];
	uint32_t length;
	keyArgument(the, key);
	const uint8_t *value = readLog(key, &length);
	if (value != NULL)
		xsmcSetArrayBuffer(xsResult, (void *)value, (xsIntegerValue)length);
}

void xs_best_store_write(xsMachine *the)
{
	char key[LOG_KEY_LIMIT + 1];
	void *value;
	xsUnsignedValue length;
	uint32_t written;
	keyArgument(the, key);
	xsmcGetBufferReadable(xsArg(1), &value, &length);
	if (length > LOG_VALUE_LIMIT)
		xsRangeError("A value has at most 1024 octets.");
	const uint8_t *found = writeLog(key, value, length) ? readLog(key, &written) : NULL;
	if (found == NULL || written != length || memcmp(found, value, length) != 0)
		xsUnknownError("\"%s\" cannot be written to the store: it is full or worn.", key);
}

void xs_best_store_delete(xsMachine *the)
{
	char key[LOG_KEY_LIMIT + 1];
	uint32_t length;
	keyArgument(the, key);
	if (readLog(key, &length) == NULL)
		return;
	if (!writeLog(key, NULL, 0) || readLog(key, &length) != NULL)
		xsUnknownError("\"%s\" cannot be deleted from the store: it is full or worn.", key);
}
