/* host.store…: one file per key; a write is in non-volatile storage, whole, when it returns. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "natives.h"

#define KEY_LENGTH_LIMIT 32
#define VALUE_LENGTH_LIMIT (64 * 1024)

static int directory = -1;

int openStore(const char *path)
{
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -1;
	directory = open(path, O_RDONLY | O_DIRECTORY);
	return directory < 0 ? -1 : 0;
}

static void keyArgument(xsMachine *the, char key[KEY_LENGTH_LIMIT + 1])
{
	const char *given = stringArgument(the, 0, "key");
	size_t length = strlen(given);
	if (length == 0 || length > KEY_LENGTH_LIMIT || strspn(given, "abcdefghijklmnopqrstuvwxyz0123456789-") != length)
		xsRangeError("A key has 1 to %d characters of a-z, 0-9 and \"-\".", KEY_LENGTH_LIMIT);
	memcpy(key, given, length + 1);
}

/* Down to the medium: macOS leaves it in the drive's cache otherwise. */
static int synchronise(int file)
{
#ifdef F_FULLFSYNC
	if (fcntl(file, F_FULLFSYNC) == 0)
		return 0;
#endif
	return fsync(file);
}

static void storeRead(xsMachine *the)
{
	char key[KEY_LENGTH_LIMIT + 1];
	struct stat status;
	keyArgument(the, key);
	int file = openat(directory, key, O_RDONLY | O_NOFOLLOW);
	if (file < 0 && errno == ENOENT)
		return;
	if (file < 0)
		xsUnknownError("\"%s\" cannot be read from the store: %s.", key, strerror(errno));
	if (fstat(file, &status) < 0 || !S_ISREG(status.st_mode) || status.st_size > VALUE_LENGTH_LIMIT) {
		close(file);
		xsUnknownError("\"%s\" in the store is no file of at most %d octets.", key, VALUE_LENGTH_LIMIT);
	}
	/* Read before anything is allocated: an exception then would leave the file open. */
	static uint8_t value[VALUE_LENGTH_LIMIT];
	ssize_t length = read(file, value, (size_t)status.st_size);
	int reason = errno;
	close(file);
	if (length != status.st_size)
		xsUnknownError("\"%s\" cannot be read from the store: %s.", key, length < 0 ? strerror(reason) : "it is cut off");
	xsmcVars(1);
	xsmcSetArrayBuffer(xsVar(0), value, (xsIntegerValue)length);
	xsmcNew(xsResult, xsGlobal, xsID("Uint8Array"), &xsVar(0), NULL);
	memset(value, 0, (size_t)length);
}

static int writeFile(const char *name, Octets value)
{
	int file = openat(directory, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
	if (file < 0)
		return -1;
	int failed = write(file, value.data, value.length) != (ssize_t)value.length || synchronise(file) < 0;
	return close(file) < 0 || failed ? -1 : 0;
}

static void storeWrite(xsMachine *the)
{
	char key[KEY_LENGTH_LIMIT + 1];
	/* A dot is in no key, so this name is free. */
	char temporary[KEY_LENGTH_LIMIT + sizeof ".new"];
	keyArgument(the, key);
	Octets value = readableArgument(the, 1, "value");
	if (value.length > VALUE_LENGTH_LIMIT)
		xsRangeError("A value has at most %d octets.", VALUE_LENGTH_LIMIT);
	snprintf(temporary, sizeof temporary, "%s.new", key);
	errno = ENOSPC;
	if (writeFile(temporary, value) < 0 || renameat(directory, temporary, directory, key) < 0
		|| synchronise(directory) < 0)
		xsUnknownError("\"%s\" cannot be written to the store: %s.", key, strerror(errno));
}

static void storeDelete(xsMachine *the)
{
	char key[KEY_LENGTH_LIMIT + 1];
	keyArgument(the, key);
	if ((unlinkat(directory, key, 0) < 0 && errno != ENOENT) || synchronise(directory) < 0)
		xsUnknownError("\"%s\" cannot be deleted from the store: %s.", key, strerror(errno));
}

const Native storeNatives[] = {
	{ "storeRead", storeRead, 1 },
	{ "storeWrite", storeWrite, 2 },
	{ "storeDelete", storeDelete, 1 },
	{ NULL, NULL, 0 },
};
