/*
 * Words in RTC memory, and deep sleep. ESP-IDF sets such memory to what the image says at every start but one from deep
 * sleep, here to zeros: after a power cut, a crash or a watchdog nothing is left of a session.
 */
#include "xsmc.h"
#include "xsHost.h"

#include "esp_attr.h"
#include "esp_sleep.h"
#ifndef kCPUESP32H2
#include "esp_wifi.h"
#endif

#define WORDS 32

static RTC_DATA_ATTR uint32_t retained[WORDS];

static uint32_t indexArgument(xsMachine *the)
{
	const xsIntegerValue index = xsmcToInteger(xsArg(0));
	if (index < 0 || index >= WORDS)
		xsRangeError("There are %d retained words.", WORDS);
	return (uint32_t)index;
}

void xs_best_retained_read(xsMachine *the)
{
	const uint32_t index = indexArgument(the);
	xsmcSetInteger(xsResult, (xsIntegerValue)retained[index]);
}

void xs_best_retained_write(xsMachine *the)
{
	const uint32_t index = indexArgument(the);
	retained[index] = (uint32_t)xsmcToNumber(xsArg(1));
}

void xs_best_deep_sleep(xsMachine *the)
{
	const xsNumberValue milliseconds = xsmcToNumber(xsArg(0));
#ifndef kCPUESP32H2
	/* ESP-IDF wants the radio stopped before; where it was never started there is an error, and nothing to stop. */
	(void)esp_wifi_stop();
#endif
	esp_deep_sleep(milliseconds > 0 ? (uint64_t)(milliseconds * 1000) : 0);
}
