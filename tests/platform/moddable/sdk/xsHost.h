/* Of the SDK's xsHost.h for an nRF52 what flash-nrf52.c uses. */
#ifndef STUB_XSHOST_H
#define STUB_XSHOST_H

#include <stdint.h>

extern uint8_t _MODPREF_start;
#define kFlashStart ((uintptr_t)0)
uint8_t modSPIWrite(uint32_t offset, uint32_t size, const uint8_t *src);
uint8_t modSPIErase(uint32_t offset, uint32_t size);
uint8_t nrf52_softdevice_enabled(void);

#endif
