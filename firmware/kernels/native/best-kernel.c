/*
 * The bridge to the generated code: copies the key set and the message into its memory, and back what changed. The
 * whole key set each time: 384 octets cost little beside one AES block, and who owns them may change them at any time.
 */
#include "best-kernel.h"

#include <string.h>

#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wunused-label"
#pragma GCC diagnostic ignored "-Wunused-value"
#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#endif
#include "best-ct.c"
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

/* The layout of the memory, see assembly/memory.ts. */
enum {
	KEY_SET = 32,
	MESSAGE = 424,
	KEYSTREAM = 1680,
	KEYSTREAM_BLOCKS = (BEST_KERNEL_MEMORY_OCTETS - KEYSTREAM) / 16,
	BLOCK_OCTETS = 16
};

static w2c_best__ct instance;

#define MEMORY (instance.w2c_memory.data)

static int lengths_fit(uint32_t cipherStart, uint32_t length, uint32_t macLength)
{
	return (macLength == 4 || macLength == 8) && length <= BEST_KERNEL_MESSAGE_OCTETS - macLength && cipherStart <= length;
}

static int bit_length_fits(uint32_t bitLength)
{
	return bitLength <= (BEST_KERNEL_MESSAGE_OCTETS - BLOCK_OCTETS) * 8u;
}

static void take_in(const uint8_t *keySet, const uint8_t *message, uint32_t length)
{
	memcpy(MEMORY + KEY_SET, keySet, BEST_KERNEL_KEY_SET_OCTETS);
	memcpy(MEMORY + MESSAGE, message, length);
}

void best_kernel_set_keys(uint8_t *keySet, const uint8_t *encryptionKey, const uint8_t *integrityKey)
{
	memcpy(MEMORY + KEY_SET, encryptionKey, BLOCK_OCTETS);
	memcpy(MEMORY + KEY_SET + BLOCK_OCTETS, integrityKey, BLOCK_OCTETS);
	w2c_best__ct_setKeys(&instance, KEY_SET);
	memcpy(keySet, MEMORY + KEY_SET, BEST_KERNEL_KEY_SET_OCTETS);
}

void best_kernel_protect(const uint8_t *keySet, uint8_t *message, uint32_t count, uint32_t bearerAndDirection,
                         uint32_t cipherStart, uint32_t length, uint32_t macLength)
{
	if (!lengths_fit(cipherStart, length, macLength)) return;
	take_in(keySet, message, length);
	w2c_best__ct_protect(&instance, KEY_SET, count, bearerAndDirection, cipherStart, length, macLength);
	memcpy(message + cipherStart, MEMORY + MESSAGE + cipherStart, length - cipherStart + macLength);
}

int best_kernel_unprotect(const uint8_t *keySet, uint8_t *message, uint32_t count, uint32_t bearerAndDirection,
                          uint32_t cipherStart, uint32_t length, uint32_t macLength)
{
	if (!lengths_fit(cipherStart, length, macLength)) return 0;
	take_in(keySet, message, length + macLength);
	if (w2c_best__ct_unprotect(&instance, KEY_SET, count, bearerAndDirection, cipherStart, length, macLength,
	                           KEYSTREAM_BLOCKS) != 1) return 0;
	memcpy(message + cipherStart, MEMORY + MESSAGE + cipherStart, length - cipherStart);
	return 1;
}

void best_kernel_encrypt_blocks(const uint8_t *keySet, uint8_t *message)
{
	take_in(keySet, message, 2 * BLOCK_OCTETS);
	w2c_best__ct_encryptBlocks(&instance, KEY_SET);
	memcpy(message, MEMORY + MESSAGE, 2 * BLOCK_OCTETS);
}

void best_kernel_ctr(const uint8_t *keySet, uint8_t *message, uint32_t bitLength)
{
	if (!bit_length_fits(bitLength)) return;
	const uint32_t octets = BLOCK_OCTETS + (bitLength + 7) / 8;
	take_in(keySet, message, octets);
	w2c_best__ct_ctr(&instance, KEY_SET, bitLength);
	memcpy(message + BLOCK_OCTETS, MEMORY + MESSAGE + BLOCK_OCTETS, octets - BLOCK_OCTETS);
}

void best_kernel_cmac(const uint8_t *keySet, uint8_t *message, uint32_t bitLength)
{
	if (!bit_length_fits(bitLength)) return;
	const uint32_t octets = (bitLength + 7) / 8;
	take_in(keySet, message, octets);
	w2c_best__ct_cmac(&instance, KEY_SET, bitLength);
	memcpy(message + octets, MEMORY + MESSAGE + octets, BLOCK_OCTETS);
}

void best_kernel_erase(void)
{
	memset(MEMORY, 0, sizeof MEMORY);
}
