/*
 * Follows the native kernel block by block (-fsanitize-coverage=trace-pc) while it verifies MACs: wrong in every bit, in
 * several and in all, with many keys and messages. The path must be the same for all of them. Prints the number of
 * different paths, of verifications, and of blocks on the path.
 */
#include <stdio.h>
#include <string.h>
#include "best-kernel.h"

static uint64_t path;
static unsigned long blocks;

void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void)
{
	path = (path ^ (uint64_t)(uintptr_t)__builtin_return_address(0)) * 0x100000001b3u;
	blocks++;
}

static uint32_t state = 1;

static uint8_t next_octet(void)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return (uint8_t)(state >> 9);
}

enum { LENGTH = 40, CIPHER_START = 7 };

int main(void)
{
	uint64_t paths[4];
	unsigned different = 0;
	unsigned long verifications = 0;
	unsigned long most = 0;
	for (int macLength = 4; macLength <= 8; macLength += 4)
		for (int keys = 0; keys < 50; keys++) {
			uint8_t pair[32], keySet[BEST_KERNEL_KEY_SET_OCTETS], good[LENGTH + 8];
			for (unsigned i = 0; i < sizeof pair; i++) pair[i] = next_octet();
			for (unsigned i = 0; i < LENGTH; i++) good[i] = next_octet();
			best_kernel_set_keys(keySet, pair, pair + 16);
			best_kernel_protect(keySet, good, 7, 4, CIPHER_START, LENGTH, macLength);
			for (int wrong = 0; wrong < 8 * macLength + 2; wrong++) {
				uint8_t message[LENGTH + 8];
				memcpy(message, good, sizeof message);
				if (wrong < 8 * macLength) message[LENGTH + wrong / 8] ^= (uint8_t)(1 << wrong % 8);
				else
					for (int i = 0; i < macLength; i++)
						message[LENGTH + i] ^= wrong == 8 * macLength ? 0xff : (uint8_t)(next_octet() | 1);
				path = 0;
				blocks = 0;
				if (best_kernel_unprotect(keySet, message, 7, 4, CIPHER_START, LENGTH, macLength)) return 1;
				/* The length of the MAC is public: one path for each. */
				const uint64_t here = path ^ (uint64_t)macLength;
				unsigned known = 0;
				while (known < different && paths[known] != here) known++;
				if (known == different && different < 4) paths[different++] = here;
				if (blocks > most) most = blocks;
				verifications++;
			}
		}
	printf("%u paths, %lu verifications, %lu blocks\n", different, verifications, most);
	return 0;
}
