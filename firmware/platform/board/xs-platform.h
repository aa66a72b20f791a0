/*
 * What the XS engine asks of a platform, for a Cortex-M4 without an operating system. The engine's xsPlatform.h includes
 * it (XSPLATFORM) and supplies a default for all that is not here.
 */
#ifndef BEST_XS_PLATFORM_H
#define BEST_XS_PLATFORM_H

#include <ctype.h>
#include <float.h>
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#define mxUseDefaultBuildKeys 1
#define mxUseDefaultFindModule 1
#define mxUseDefaultLoadModule 1
#define mxUseDefaultSharedChunks 1
#define mxUseDefaultCStackLimit 0

/* Paths are only names of modules, and there are none. */
#define C_PATH_MAX 64

/* newlib declares it for POSIX systems only; it is called for source maps, which nothing here has. */
char *realpath(const char *path, char *resolved);

/* exhausted: what could not be taken from the pool. */
#define mxMachinePlatform \
	const char *exhausted; \
	int promiseJobs; \
	void *waiterCondition; \
	void *waiterData; \
	void *waiterLink;

#endif
