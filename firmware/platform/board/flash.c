/*
 * Non-volatile pages: the machine's external memory, which QEMU keeps in a file of the host. A store is in the file when
 * the instruction is over, so that ending QEMU at any moment is a power cut at that moment.
 */
#include "board.h"

#define FLASH ((volatile uint32_t *)0x21000000u)
#define PAGE_WORDS (FLASH_PAGE_OCTETS / 4)

const uint8_t *flashPage(unsigned page)
{
	return (const uint8_t *)(uintptr_t)(FLASH + page * PAGE_WORDS);
}

void flashErase(unsigned page)
{
	for (uint32_t i = 0; i < PAGE_WORDS; i++) FLASH[page * PAGE_WORDS + i] = UINT32_MAX;
}

void flashProgram(unsigned page, uint32_t offset, const void *octets, uint32_t length)
{
	volatile uint32_t *to = FLASH + page * PAGE_WORDS + offset / 4;
	const uint8_t *from = octets;
	for (uint32_t i = 0; i < length; i += 4, from += 4)
		*to++ &= (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}
