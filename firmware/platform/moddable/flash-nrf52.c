/*
 * The two pages of flash that the SDK's linker script sets aside for preferences, for the log of flash.h. What else writes
 * there (the SDK's modules `preference` and `embedded:storage/key-value`) must not be in the same firmware.
 */
#include "flash.h"
#include "xsHost.h"

#define START ((uintptr_t)&_MODPREF_start)

const uint8_t *flashPage(unsigned page)
{
	return (const uint8_t *)(START + page * FLASH_PAGE_OCTETS);
}

/* A failure is seen by whoever reads back what was to be written. */
void flashErase(unsigned page)
{
	modSPIErase(START - kFlashStart + page * FLASH_PAGE_OCTETS, FLASH_PAGE_OCTETS);
}

void flashProgram(unsigned page, uint32_t offset, const void *octets, uint32_t length)
{
	modSPIWrite(START - kFlashStart + page * FLASH_PAGE_OCTETS + offset, length, octets);
}
