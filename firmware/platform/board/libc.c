/* What the C library asks of an operating system. There is none: only the clock is there. */
#include <errno.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "board.h"

void _exit(int status)
{
	exitBoard(status);
}

/* For Date, which the firmware does not use: it begins at 0 with each start. */
int _gettimeofday(struct timeval *now, void *zone)
{
	const uint64_t ticks = ticksNow();
	(void)zone;
	now->tv_sec = (time_t)(ticks / (1000 * TICKS_PER_MILLISECOND));
	now->tv_usec = (suseconds_t)(ticks / (TICKS_PER_MILLISECOND / 1000) % 1000000);
	return 0;
}

static int refuse(void)
{
	errno = ENOSYS;
	return -1;
}

int _close(int file) { (void)file; return refuse(); }
int _fstat(int file, struct stat *status) { (void)file; (void)status; return refuse(); }
int _isatty(int file) { (void)file; return 0; }
int _lseek(int file, int offset, int whence) { (void)file; (void)offset; (void)whence; return refuse(); }
int _read(int file, char *into, int length) { (void)file; (void)into; (void)length; return refuse(); }
int _write(int file, const char *text, int length) { (void)file; (void)text; (void)length; return refuse(); }
int _kill(int process, int signal) { (void)process; (void)signal; return refuse(); }
int _getpid(void) { return 1; }
char *realpath(const char *path, char *resolved) { (void)path; (void)resolved; return NULL; }
