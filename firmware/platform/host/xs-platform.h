/*
 * What the XS engine asks of a platform, for a PC with POSIX. The engine's xsPlatform.h includes it (XSPLATFORM) and
 * supplies a default for all that is not here.
 */
#ifndef BEST_XS_PLATFORM_H
#define BEST_XS_PLATFORM_H

#include <arpa/inet.h>
#include <ctype.h>
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef __APPLE__
	#undef mxMacOSX
	#define mxMacOSX 1
#else
	#undef mxLinux
	#define mxLinux 1
#endif

#define mxUseGCCAtomics 1
#define mxUsePOSIXThreads 1

#define mxUseDefaultBuildKeys 1
#define mxUseDefaultFindModule 1
#define mxUseDefaultLoadModule 1
#define mxUseDefaultParseScript 1
#define mxUseDefaultSharedChunks 1

/* Room for property names is not what a PC is short of. */
#if INTPTR_MAX == INT64_MAX
	#define mx32bitID 1
#endif

/* reserved: octets of slots, stack and chunks taken from the C heap; exhausted: what could not be taken. */
#define mxMachinePlatform \
	size_t reserved; \
	const char *exhausted; \
	int promiseJobs; \
	void *waiterCondition; \
	void *waiterData; \
	void *waiterLink;

#endif
