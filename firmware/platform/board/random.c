/*
 * Random octets for tests: the host puts them beside the emulated flash before each start. The emulated machine has no
 * source of its own; a device takes its hardware generator here (nRF52840: RNG, ESP32: RNG).
 */
#include "board.h"

/* Two words: octets given, octets already taken; then the octets. */
#define GIVEN REGISTER(0x21100000u)
#define TAKEN REGISTER(0x21100004u)
#define OCTETS ((volatile uint8_t *)0x21100008u)

int takeRandom(uint8_t *into, uint32_t length)
{
	const uint32_t from = TAKEN;
	if (from > GIVEN || length > GIVEN - from)
		return 0;
	/* Before they are used, so that a restart does not use them again. */
	TAKEN = from + length;
	for (uint32_t i = 0; i < length; i++) {
		into[i] = OCTETS[from + i];
		OCTETS[from + i] = 0;
	}
	return 1;
}
