/*
 * CTR (SP 800-38A 6.5) and CMAC (SP 800-38B 6.2) around the generated cipher, on the message where it lies: CTR in lane 0,
 * CMAC beside it in lane 1. Only the key set is copied into the memory of the generated code, each time: 384 octets cost
 * little beside one AES block, and who owns them may change them at any time.
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
#ifdef BEST_KERNEL_TABLES
#include "best-table.c"
#else
#include "best-ct.c"
#endif
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

/* The layout of the memory, see assembly/memory.ts, and what follows it here. */
enum {
#ifdef BEST_KERNEL_TABLES
	STATE = 1024, /* behind the table */
	KEY_SET = STATE + 32 + 16, /* behind the columns of the lane at work */
#else
	STATE = 0,
	KEY_SET = STATE + 32,
#endif
	SUBKEY_1 = KEY_SET + 352,
	SUBKEY_2 = KEY_SET + 368,
	KEYSTREAM = KEY_SET + BEST_KERNEL_KEY_SET_OCTETS,
	BLOCK_OCTETS = 16,
	KEYSTREAM_BLOCKS = (BEST_KERNEL_DATA_OCTETS - KEYSTREAM) / BLOCK_OCTETS,
	PREFIX_OCTETS = 8
};

typedef enum { CIPHER_LANE = 0, MAC_LANE = 4 } Lane;

#ifdef BEST_KERNEL_TABLES
static w2c_best__table instance;
#else
static w2c_best__ct instance;
#endif

#define MEMORY (instance.w2c_memory.data)

static inline uint32_t get_word(const uint8_t *from)
{
	uint32_t word;
	memcpy(&word, from, sizeof word);
	return word;
}

static inline void put_word(uint8_t *to, uint32_t word)
{
	memcpy(to, &word, sizeof word);
}

/* Where a column of a lane stands: those of the two lanes take turns. */
static inline uint8_t *column_of(Lane lane, unsigned column)
{
	return MEMORY + STATE + 8 * column + lane;
}

static inline void take_in(const uint8_t *keySet)
{
	memcpy(MEMORY + KEY_SET, keySet, BEST_KERNEL_KEY_SET_OCTETS);
}

static inline void expand_keys(void)
{
#ifdef BEST_KERNEL_TABLES
	w2c_best__table_setKeys(&instance, KEY_SET);
#else
	w2c_best__ct_setKeys(&instance, KEY_SET);
#endif
}

/* Enciphers the lanes that are wanted. Bit slices always do both; tables cost half as much for one. */
static inline void encrypt(int wantsCipher, int wantsMac)
{
#ifdef BEST_KERNEL_TABLES
	if (wantsCipher) w2c_best__table_encryptLane(&instance, KEY_SET, 0);
	if (wantsMac) w2c_best__table_encryptLane(&instance, KEY_SET, 1);
#else
	(void)wantsCipher;
	(void)wantsMac;
	w2c_best__ct_encrypt(&instance, KEY_SET);
#endif
}

static inline void load(Lane lane, const uint8_t *block)
{
	for (unsigned i = 0; i < 4; i++) put_word(column_of(lane, i), get_word(block + 4 * i));
}

static inline void store(uint8_t *block, Lane lane)
{
	for (unsigned i = 0; i < 4; i++) put_word(block + 4 * i, get_word(column_of(lane, i)));
}

/* The counter block T of 128-EEA2 (TS 33.401 B.1.3). */
static inline void load_counter(uint32_t count, uint32_t bearerAndDirection, uint32_t number)
{
	put_word(column_of(CIPHER_LANE, 0), __builtin_bswap32(count));
	put_word(column_of(CIPHER_LANE, 1), bearerAndDirection);
	put_word(column_of(CIPHER_LANE, 2), 0);
	put_word(column_of(CIPHER_LANE, 3), __builtin_bswap32(number));
}

/* Adds the key stream in lane 0 to at most 16 octets. */
static void add_keystream(uint8_t *to, uint32_t octets)
{
	if (octets >= BLOCK_OCTETS) {
		for (unsigned i = 0; i < 4; i++) put_word(to + 4 * i, get_word(to + 4 * i) ^ get_word(column_of(CIPHER_LANE, i)));
		return;
	}
	for (unsigned i = 0; i < octets; i++) to[i] ^= column_of(CIPHER_LANE, i >> 2)[i & 3];
}

static inline void start_mac(void)
{
	for (unsigned i = 0; i < 4; i++) put_word(column_of(MAC_LANE, i), 0);
}

static inline void absorb(const uint8_t *block)
{
	for (unsigned i = 0; i < 4; i++) {
		uint8_t *column = column_of(MAC_LANE, i);
		put_word(column, get_word(column) ^ get_word(block + 4 * i));
	}
}

/* The last block, of which `bits` bits (0 to 128) count: with K1 if it is full, else with a one bit, zero bits and K2. */
static void absorb_last(const uint8_t *from, uint32_t bits)
{
	const uint32_t octets = bits >> 3;
	uint8_t block[BLOCK_OCTETS] = { 0 };
	for (unsigned i = 0; i < octets; i++) block[i] = from[i];
	if (octets < BLOCK_OCTETS) {
		const uint32_t more = bits & 7;
		if (more != 0) block[octets] = from[octets] & (0xff00u >> more);
		block[octets] |= 0x80u >> more;
	}
	absorb(block);
	absorb(MEMORY + (octets == BLOCK_OCTETS ? SUBKEY_1 : SUBKEY_2));
}

/* What CMAC of 128-EIA2 has before it: the first block with the prefix (TS 33.401 B.2.3), how far it is in the message. */
typedef struct {
	uint8_t first[BLOCK_OCTETS];
	int32_t at;
} MacInput;

static inline void begin_mac(MacInput *input, uint32_t count, uint32_t bearerAndDirection)
{
	put_word(input->first, __builtin_bswap32(count));
	put_word(input->first + 4, bearerAndDirection);
	input->at = -PREFIX_OCTETS;
	start_mac();
}

/* Adds the next block, and tells whether it was the last one. */
static int absorb_next(MacInput *input, const uint8_t *message, uint32_t length)
{
	const uint32_t left = length - (uint32_t)input->at;
	const uint8_t *from = input->first;
	if (input->at >= 0) {
		from = message + input->at;
	} else {
		const uint32_t octets = length < PREFIX_OCTETS ? length : PREFIX_OCTETS;
		for (unsigned i = 0; i < octets; i++) input->first[PREFIX_OCTETS + i] = message[i];
	}
	input->at += BLOCK_OCTETS;
	if (left > BLOCK_OCTETS) {
		absorb(from);
		return 0;
	}
	absorb_last(from, left * 8);
	return 1;
}

static int lengths_fit(uint32_t cipherStart, uint32_t length, uint32_t macLength)
{
	return (macLength == 4 || macLength == 8) && length <= BEST_KERNEL_MESSAGE_OCTETS - macLength && cipherStart <= length;
}

static int bit_length_fits(uint32_t bitLength)
{
	return bitLength <= (BEST_KERNEL_MESSAGE_OCTETS - BLOCK_OCTETS) * 8u;
}

void best_kernel_set_keys(uint8_t *keySet, const uint8_t *encryptionKey, const uint8_t *integrityKey)
{
	memcpy(MEMORY + KEY_SET, encryptionKey, BLOCK_OCTETS);
	memcpy(MEMORY + KEY_SET + BLOCK_OCTETS, integrityKey, BLOCK_OCTETS);
	expand_keys();
	memcpy(keySet, MEMORY + KEY_SET, BEST_KERNEL_KEY_SET_OCTETS);
}

void best_kernel_protect(const uint8_t *keySet, uint8_t *message, uint32_t count, uint32_t bearerAndDirection,
                         uint32_t cipherStart, uint32_t length, uint32_t macLength)
{
	if (!lengths_fit(cipherStart, length, macLength)) return;
	take_in(keySet);
	uint32_t at = cipherStart;
	uint32_t number = 0;
	/* The MAC runs over ciphertext: unless 8 octets or more are in clear, CTR has to be one block ahead. */
	int last = -1;
	MacInput input;
	if (cipherStart >= PREFIX_OCTETS || cipherStart == length) {
		begin_mac(&input, count, bearerAndDirection);
		last = absorb_next(&input, message, length);
	}
	for (;;) {
		const int enciphers = at < length;
		if (enciphers) load_counter(count, bearerAndDirection, number++);
		encrypt(enciphers, last >= 0);
		if (enciphers) {
			add_keystream(message + at, length - at);
			at += BLOCK_OCTETS;
		}
		if (last == 1) break;
		if (last < 0) begin_mac(&input, count, bearerAndDirection);
		last = absorb_next(&input, message, length);
	}
	put_word(message + length, get_word(column_of(MAC_LANE, 0)));
	if (macLength == 8) put_word(message + length + 4, get_word(column_of(MAC_LANE, 1)));
}

int best_kernel_unprotect(const uint8_t *keySet, uint8_t *message, uint32_t count, uint32_t bearerAndDirection,
                          uint32_t cipherStart, uint32_t length, uint32_t macLength)
{
	if (!lengths_fit(cipherStart, length, macLength)) return 0;
	take_in(keySet);
	const uint32_t wanted = (length - cipherStart + 15) / BLOCK_OCTETS;
	uint32_t kept = 0;
	MacInput input;
	begin_mac(&input, count, bearerAndDirection);
	for (int last = 0; !last;) {
		last = absorb_next(&input, message, length);
		const int keeps = kept < wanted && kept < KEYSTREAM_BLOCKS;
		if (keeps) load_counter(count, bearerAndDirection, kept);
		encrypt(keeps, 1);
		if (keeps) store(MEMORY + KEYSTREAM + BLOCK_OCTETS * kept++, CIPHER_LANE);
	}

	/* Every octet of the MAC is looked at before anything is decided. */
	uint32_t difference = get_word(message + length) ^ get_word(column_of(MAC_LANE, 0));
	if (macLength == 8) difference |= get_word(message + length + 4) ^ get_word(column_of(MAC_LANE, 1));
	if (difference != 0) return 0;

	uint32_t at = cipherStart;
	for (uint32_t number = 0; number < wanted; number++) {
		if (number < kept) {
			load(CIPHER_LANE, MEMORY + KEYSTREAM + BLOCK_OCTETS * number);
		} else {
			load_counter(count, bearerAndDirection, number);
			encrypt(1, 0);
		}
		add_keystream(message + at, length - at);
		at += BLOCK_OCTETS;
	}
	return 1;
}

void best_kernel_encrypt_blocks(const uint8_t *keySet, uint8_t *message)
{
	take_in(keySet);
	load(CIPHER_LANE, message);
	load(MAC_LANE, message + BLOCK_OCTETS);
	encrypt(1, 1);
	store(message, CIPHER_LANE);
	store(message + BLOCK_OCTETS, MAC_LANE);
}

void best_kernel_ctr(const uint8_t *keySet, uint8_t *message, uint32_t bitLength)
{
	if (!bit_length_fits(bitLength)) return;
	take_in(keySet);
	const uint32_t end = BLOCK_OCTETS + (bitLength + 7) / 8;
	for (uint32_t at = BLOCK_OCTETS; at < end; at += BLOCK_OCTETS) {
		load(CIPHER_LANE, message);
		encrypt(1, 0);
		add_keystream(message + at, end - at);
		for (unsigned octet = BLOCK_OCTETS; octet-- > 0 && ++message[octet] == 0;) continue;
	}
	if ((bitLength & 7) != 0) message[end - 1] &= 0xff00u >> (bitLength & 7);
}

void best_kernel_cmac(const uint8_t *keySet, uint8_t *message, uint32_t bitLength)
{
	if (!bit_length_fits(bitLength)) return;
	take_in(keySet);
	start_mac();
	const uint8_t *from = message;
	uint32_t bits = bitLength;
	for (; bits > 128; bits -= 128) {
		absorb(from);
		encrypt(0, 1);
		from += BLOCK_OCTETS;
	}
	absorb_last(from, bits);
	encrypt(0, 1);
	store(message + (bitLength + 7) / 8, MAC_LANE);
}

void best_kernel_erase(void)
{
	memset(MEMORY + STATE, 0, BEST_KERNEL_DATA_OCTETS - STATE);
}
