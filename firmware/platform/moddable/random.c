/*
 * The cryptographic source of a target. The SDK's `rng` module and Math.random are none: both are seeded by rand(). Where
 * the condition of a source is not met there is an error, never a guess.
 */
#include "xsmc.h"
#include "xsHost.h"

/* NULL, or why there are no octets. */
static const char *fill(uint8_t *into, uint32_t length);

void xs_best_random_fill(xsMachine *the)
{
	void *buffer;
	xsUnsignedValue length;
	xsmcGetBufferWritable(xsArg(0), &buffer, &length);
	const char *why = fill(buffer, length);
	if (why != NULL)
		xsUnknownError("There are no random octets: %s.", why);
}

#if defined(__ZEPHYR__)
#include <zephyr/random/random.h>

static const char *fill(uint8_t *into, uint32_t length)
{
#ifdef CONFIG_CSPRNG_ENABLED
	return sys_csrand_get(into, length) == 0 ? NULL : "the entropy driver of Zephyr failed";
#else
	(void)into;
	(void)length;
	return "this board has no entropy driver in Zephyr";
#endif
}

#elif defined(ESP32)
#include "bootloader_random.h"
#include "esp_random.h"
#ifndef kCPUESP32H2
#include "esp_wifi.h"
#endif

static int hasRadio(void)
{
#ifdef kCPUESP32H2
	return 0;
#else
	wifi_mode_t mode;
	return esp_wifi_get_mode(&mode) == ESP_OK && mode != WIFI_MODE_NULL;
#endif
}

/*
 * The generator is a true one while the radio is on or bootloader_random_enable() feeds it from the ADC (ESP-IDF, "Random
 * Number Generation"). The SDK starts Wi-Fi as soon as it has initialized it, and that is what is asked here. Without
 * Wi-Fi the ADC is taken for as long as it needs: nothing else may use the ADC or the radio in the meantime.
 */
static const char *fill(uint8_t *into, uint32_t length)
{
	const int isFedByAdc = !hasRadio();
	if (isFedByAdc)
		bootloader_random_enable();
	esp_fill_random(into, length);
	if (isFedByAdc)
		bootloader_random_disable();
	return NULL;
}

#elif defined(nrf52)
#include "nrf_rng.h"
#include "nrf_soc.h"

#define LONGEST_WAIT 1000000u

/* The SoftDevice owns the generator while it is enabled, and keeps a pool that fills up by itself. */
static const char *takeFromSoftDevice(uint8_t *into, uint32_t length)
{
	uint8_t capacity;
	if (sd_rand_application_pool_capacity_get(&capacity) != NRF_SUCCESS || capacity == 0)
		return "the SoftDevice gives none";
	for (uint32_t left = length; left > 0;) {
		const uint8_t piece = left < capacity ? (uint8_t)left : capacity;
		uint32_t result, tries = 0;
		while ((result = sd_rand_application_vector_get(into, piece)) == NRF_ERROR_SOC_RAND_NOT_ENOUGH_VALUES)
			if (++tries == LONGEST_WAIT)
				return "the SoftDevice's pool does not fill up";
		if (result != NRF_SUCCESS)
			return "the SoftDevice gives none";
		into += piece;
		left -= piece;
	}
	return NULL;
}

/* The generator with its bias corrected (nRF52840 Product Specification, RNG): about 120 us an octet. */
static const char *takeFromGenerator(uint8_t *into, uint32_t length)
{
	const char *why = NULL;
	nrf_rng_error_correction_enable();
	nrf_rng_event_clear(NRF_RNG_EVENT_VALRDY);
	nrf_rng_task_trigger(NRF_RNG_TASK_START);
	for (; length > 0 && why == NULL; length--) {
		uint32_t tries = 0;
		while (!nrf_rng_event_get(NRF_RNG_EVENT_VALRDY) && why == NULL)
			if (++tries == LONGEST_WAIT)
				why = "the generator of the processor does not answer";
		nrf_rng_event_clear(NRF_RNG_EVENT_VALRDY);
		*into++ = nrf_rng_random_value_get();
	}
	nrf_rng_task_trigger(NRF_RNG_TASK_STOP);
	return why;
}

static const char *fill(uint8_t *into, uint32_t length)
{
	return nrf52_softdevice_enabled() ? takeFromSoftDevice(into, length) : takeFromGenerator(into, length);
}

#elif defined(__linux__) || defined(__APPLE__)
#include <sys/random.h>

/* getentropy gives at most this much at a time. */
#define PIECE 256u

static const char *fill(uint8_t *into, uint32_t length)
{
	for (uint32_t offset = 0; offset < length; offset += PIECE) {
		const uint32_t left = length - offset;
		if (getentropy(into + offset, left < PIECE ? left : PIECE) < 0)
			return "the system gives none";
	}
	return NULL;
}

#else
static const char *fill(uint8_t *into, uint32_t length)
{
	(void)into;
	(void)length;
	return "this device has no cryptographic source";
}
#endif
