/*
 * The AES kernel for native code: devices, and the XS host. One message at a time, no heap, not reentrant.
 *
 * Compile best-kernel.c at -O2 with -I <this folder> -I build/kernels; it takes the generated best-ct.c in by itself.
 *
 * With -DBEST_KERNEL_TABLES it takes best-table.c: twice as fast or more, 1.4 KB more RAM, and NOT constant time. Its addresses
 * depend on keys and data, so only for a processor whose RAM has no cache, with nobody who measures the time of a look-up.
 */
#ifndef BEST_KERNEL_H
#define BEST_KERNEL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An expanded cipher key and integrity key. May be kept anywhere; no alignment is needed. */
#define BEST_KERNEL_KEY_SET_OCTETS 384

/* The longest message together with its MAC. `message` below needs only the octets that a call names. */
#define BEST_KERNEL_MESSAGE_OCTETS 1240

#ifdef BEST_KERNEL_TABLES
#define BEST_KERNEL_NAME "best-table (native)"
#else
#define BEST_KERNEL_NAME "best-ct (native)"
#endif

/* Expands two AES-128 keys of 16 octets each. */
void best_kernel_set_keys(uint8_t *keySet, const uint8_t *encryptionKey, const uint8_t *integrityKey);

/*
 * 128-EEA2 over message[cipherStart .. length), then 128-EIA2 over message[0 .. length); the MAC follows at
 * message[length ..] (TS 33.401 B.1.3, B.2.3). Without effect unless macLength is 4 or 8, cipherStart <= length and
 * length + macLength <= BEST_KERNEL_MESSAGE_OCTETS.
 */
void best_kernel_protect(const uint8_t *keySet, uint8_t *message, uint32_t count, uint32_t bearerAndDirection,
                         uint32_t cipherStart, uint32_t length, uint32_t macLength);

/*
 * Returns 1 and deciphers in place if the MAC at message[length ..] is right. Returns 0 if it is wrong, or if the
 * lengths do not fit; then the message is as it was.
 */
int best_kernel_unprotect(const uint8_t *keySet, uint8_t *message, uint32_t count, uint32_t bearerAndDirection,
                          uint32_t cipherStart, uint32_t length, uint32_t macLength);

/* AES-128 of message[0 .. 16) under the cipher key and of message[16 .. 32) under the integrity key, in place. */
void best_kernel_encrypt_blocks(const uint8_t *keySet, uint8_t *message);

/*
 * CTR over bitLength bits from message[16] on; message[0 .. 16) is the first counter block. Without effect unless
 * 16 octets and the data fit into BEST_KERNEL_MESSAGE_OCTETS.
 */
void best_kernel_ctr(const uint8_t *keySet, uint8_t *message, uint32_t bitLength);

/*
 * CMAC over the first bitLength bits of message; the 16 octets of the tag follow at the next whole octet. Without
 * effect unless both fit into BEST_KERNEL_MESSAGE_OCTETS.
 */
void best_kernel_cmac(const uint8_t *keySet, uint8_t *message, uint32_t bitLength);

/* Fills the kernel's own memory, where keys and a message were worked on, with zero. */
void best_kernel_erase(void);

#ifdef __cplusplus
}
#endif

#endif
