/*
 * Takes records from standard input and writes what firmware/kernels/native makes of each: the protected message, whether it
 * is right, its plain text again, whether a false MAC is right, the CMAC of the message less three bits, the message under CTR.
 */
#include "best-kernel.h"

#include <stdio.h>
#include <string.h>

typedef struct {
	uint8_t keys[32], count[4], bearerAndDirection, macLength, cipherStart[2], length[2];
} Record;

static void put(const uint8_t *octets, size_t length)
{
	fwrite(octets, 1, length, stdout);
}

int main(void)
{
	static uint8_t keySet[BEST_KERNEL_KEY_SET_OCTETS], message[BEST_KERNEL_MESSAGE_OCTETS], plain[BEST_KERNEL_MESSAGE_OCTETS];
	Record record;
	while (fread(&record, sizeof record, 1, stdin) == 1) {
		const uint32_t count = (uint32_t)record.count[0] << 24 | record.count[1] << 16 | record.count[2] << 8 | record.count[3];
		const uint32_t start = record.cipherStart[0] << 8 | record.cipherStart[1];
		const uint32_t length = record.length[0] << 8 | record.length[1];
		const uint8_t mac = record.macLength, bearer = record.bearerAndDirection;
		if (length > 0 && fread(plain, length, 1, stdin) != 1) return 1;
		best_kernel_set_keys(keySet, record.keys, record.keys + 16);

		memcpy(message, plain, length);
		best_kernel_protect(keySet, message, count, bearer, start, length, mac);
		put(message, length + mac);
		putchar(best_kernel_unprotect(keySet, message, count, bearer, start, length, mac));
		put(message, length);
		message[length] ^= 1;
		putchar(best_kernel_unprotect(keySet, message, count, bearer, start, length, mac));

		memcpy(message, plain, length);
		best_kernel_cmac(keySet, message, 8 * length - 3);
		put(message + length, 16);
		memcpy(message, plain, length);
		best_kernel_ctr(keySet, message, 8 * (length - 16) - 3);
		put(message + 16, length - 16);
		best_kernel_erase();
	}
	return 0;
}
