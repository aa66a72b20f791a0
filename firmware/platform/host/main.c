/* xs-host: the firmware's bundle on the XS engine, with a PC's sockets, files and standard input. */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "natives.h"

/* The object `host`, held for as long as the program runs whatever the bundle does to the global. */
static xsSlot host;

static void defineNatives(xsMachine *the, const Native *native)
{
	for (; native->name; native++) {
		xsVar(0) = xsNewHostFunction(native->function, native->length);
		xsmcDefine(xsResult, xsID((char *)native->name), xsVar(0), xsDontEnum);
	}
}

/* What the command line says. */
typedef struct {
	const char *bundle;
	const char *store;
	/* Where the console is; NULL where there is none. */
	const char *console;
	/* Stands for a button that is pressed while the device starts. */
	int button;
	/* Where the modem is, NULL where there is none; what it is, in words for the bundle. */
	const char *modem;
	const char *dialect;
	const char *apn;
	const char *usim;
} Options;

static void defineText(xsMachine *the, char *name, const char *text)
{
	xsmcSetString(xsVar(0), (char *)(text ? text : ""));
	xsmcSet(xsResult, xsID(name), xsVar(0));
}

static void defineHost(xsMachine *machine, const Options *options)
{
	xsBeginHost(machine);
	xsmcVars(1);
	xsmcSetNewObject(xsResult);
	/* A property is found by going through the earlier ones: those of every message come first. */
	defineNatives(the, kernelNatives);
	defineNatives(the, udpNatives);
	defineNatives(the, inputNatives);
	defineNatives(the, systemNatives);
	defineNatives(the, storeNatives);
	defineNatives(the, serialNatives);
	defineText(the, "consolePath", options->console);
	defineText(the, "modemPath", options->modem);
	defineText(the, "modemDialect", options->dialect);
	defineText(the, "modemApn", options->apn);
	defineText(the, "modemUsim", options->usim);
	xsmcSetBoolean(xsVar(0), options->button);
	xsmcSet(xsResult, xsID("isButtonPressed"), xsVar(0));
	xsmcSetInteger(xsVar(0), kernelKeySetOctets);
	xsmcSet(xsResult, xsID("kernelKeySetOctets"), xsVar(0));
	xsmcSetString(xsVar(0), (char *)kernelName);
	xsmcSet(xsResult, xsID("kernelName"), xsVar(0));
	xsmcSet(xsGlobal, xsID("host"), xsResult);
	host = xsResult;
	xsRemember(host);
	xsEndHost(machine);
}

static int isSet(xsMachine *machine, char *callback)
{
	volatile int set = 0;
	xsBeginHost(machine);
	xsResult = xsAccess(host);
	xsmcGet(xsResult, xsResult, xsID(callback));
	set = xsmcTypeOf(xsResult) == xsReferenceType;
	xsEndHost(machine);
	return set;
}

/* An exception that escapes ends the program (fxAbort). */
static void call(xsMachine *machine, char *callback)
{
	xsBeginHost(machine);
	xsmcVars(1);
	xsResult = xsAccess(host);
	xsmcSetInteger(xsVar(0), 1);
	xsmcCall_noResult(xsResult, xsID(callback), &xsVar(0), NULL);
	xsEndHost(machine);
	runPromiseJobs(machine);
}

static void evaluate(xsMachine *machine, char *source, uint32_t length)
{
	xsBeginHost(machine);
	runScript(the, source, length);
	xsEndHost(machine);
	free(source);
	runPromiseJobs(machine);
}

static int timeoutUntil(double moment)
{
	const double hour = 3600e3;
	double left = ceil(moment - millisecondsNow());
	if (left <= 0)
		return 0;
	return (int)(left < hour ? left : hour);
}

/* One turn: wait, then each callback that has a reason, once. False when nothing can happen any more. */
static int turn(xsMachine *the)
{
	int readable = isSet(the, "onReadable") && udpSocket >= 0;
	int alarm = isSet(the, "onAlarm") && alarmAt < INFINITY;
	int input = isSet(the, "onInput") && (inputIsOpen() || inputWaits());
	SerialLine *console = &serialLines[CONSOLE_LINE];
	SerialLine *modem = &serialLines[MODEM_LINE];
	int serial = isSet(the, "onSerial") && console->line >= 0;
	int answers = isSet(the, "onModem") && modem->line >= 0;
	if (!readable && !alarm && !input && !serial && !answers)
		return 0;
	/* poll passes over a negative descriptor. */
	struct pollfd waiting[] = {
		{ .fd = readable ? udpSocket : -1, .events = POLLIN },
		{ .fd = input && inputIsOpen() ? STDIN_FILENO : -1, .events = POLLIN },
		{ .fd = serial ? console->line : -1, .events = POLLIN },
		{ .fd = answers ? modem->line : -1, .events = POLLIN },
	};
	int timeout = input && inputWaits() ? 0 : alarm ? timeoutUntil(alarmAt) : -1;
	if (poll(waiting, 4, timeout) < 0 && errno != EINTR) {
		perror("xs-host: poll");
		exit(1);
	}
	if (alarm && alarmAt <= millisecondsNow()) {
		alarmAt = INFINITY;
		call(the, "onAlarm");
	}
	if (waiting[1].revents)
		fillInput();
	if (input && inputWaits()) {
		inputIsTold();
		call(the, "onInput");
	}
	if (waiting[2].revents && serialWaits(console))
		call(the, "onSerial");
	if (waiting[3].revents && serialWaits(modem))
		call(the, "onModem");
	/* The bundle may have closed the socket meanwhile. */
	if (waiting[0].revents && waiting[0].fd == udpSocket && datagramWaits())
		call(the, "onReadable");
	return 1;
}

/* The file's octets and a zero octet; NULL if it cannot be read. */
static char *readSource(const char *path, uint32_t *length)
{
	FILE *file = fopen(path, "rb");
	char *source = NULL;
	if (!file)
		return NULL;
	if (fseek(file, 0, SEEK_END) == 0) {
		long size = ftell(file);
		rewind(file);
		source = size >= 0 && size < INT32_MAX ? calloc((size_t)size + 1, 1) : NULL;
		if (source && fread(source, 1, (size_t)size, file) != (size_t)size) {
			free(source);
			source = NULL;
		}
		*length = (uint32_t)size;
	}
	fclose(file);
	return source;
}

static int usage(void)
{
	fprintf(stderr, "xs-host: usage: xs-host BUNDLE.js STORE_DIRECTORY [--console PATH|pty] [--button]"
		" [--modem PATH|pty --dialect NAME [--apn NAME] [--usim NAME]] | xs-host --version\n");
	return 2;
}

/* Where the value of an option goes; NULL where there is no such option. */
static const char **textOption(const char *name, Options *options)
{
	const struct {
		const char *name;
		const char **value;
	} known[] = {
		{ "--console", &options->console }, { "--modem", &options->modem }, { "--dialect", &options->dialect },
		{ "--apn", &options->apn }, { "--usim", &options->usim },
	};
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (strcmp(name, known[i].name) == 0)
			return known[i].value;
	return NULL;
}

/* False where the command line is not as usage() has it. */
static int parse(int argc, char *argv[], Options *options)
{
	int operands = 0;
	for (int i = 1; i < argc; i++) {
		const char **value = textOption(argv[i], options);
		if (strcmp(argv[i], "--button") == 0)
			options->button = 1;
		else if (value && i + 1 < argc)
			*value = argv[++i];
		else if (operands < 2)
			*(operands++ == 0 ? &options->bundle : &options->store) = argv[i];
		else
			return 0;
	}
	return operands == 2;
}

int main(int argc, char *argv[])
{
	uint32_t length = 0;
	Options options = { 0 };
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts(engineDescription());
		return 0;
	}
	if (!parse(argc, argv, &options))
		return usage();
	char *source = readSource(options.bundle, &length);
	if (!source) {
		fprintf(stderr, "xs-host: the bundle %s cannot be read.\n", options.bundle);
		return 2;
	}
	if (openStore(options.store) < 0) {
		fprintf(stderr, "xs-host: %s cannot be used as a store: %s.\n", options.store, strerror(errno));
		return 2;
	}
	if (options.console && !(options.console = openSerial(&serialLines[CONSOLE_LINE], options.console))) {
		fprintf(stderr, "xs-host: the console cannot be opened: %s.\n", strerror(errno));
		return 2;
	}
	if (options.modem && !(options.modem = openSerial(&serialLines[MODEM_LINE], options.modem))) {
		fprintf(stderr, "xs-host: the modem's line cannot be opened: %s.\n", strerror(errno));
		return 2;
	}
	xsMachine *machine = createMachine();
	if (!machine) {
		fprintf(stderr, "xs-host: memory is exhausted: no room for the engine.\n");
		return 1;
	}
	defineHost(machine, &options);
	evaluate(machine, source, length);
	while (turn(machine)) {
	}
	return 0;
}
