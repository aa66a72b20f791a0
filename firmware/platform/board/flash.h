/* Two pages that keep their contents without power, as the internal flash of an nRF52840 does. */
#ifndef BEST_FLASH_H
#define BEST_FLASH_H

#include <stdint.h>

#define FLASH_PAGE_OCTETS 4096u
#define FLASH_PAGES 2u

const uint8_t *flashPage(unsigned page);
void flashErase(unsigned page);
/* Can only clear bits. `offset` and `length` are multiples of 4. */
void flashProgram(unsigned page, uint32_t offset, const void *octets, uint32_t length);

#endif
