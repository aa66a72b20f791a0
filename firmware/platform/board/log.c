#include "log.h"

#include <string.h>

#include "flash.h"

#define MAGIC 0x54534542u
#define PAGE_HEADER 16u
#define RECORD_HEADER 8u
enum { VALUE = 1, DELETED = 2 };

typedef struct {
	uint32_t checksum;
	uint16_t valueLength;
	uint8_t keyLength, kind;
} Record;

static unsigned page;
/* Where the next record goes. */
static uint32_t end;

/* CRC-32 (ISO 3309), bit by bit: a write is rare. */
static uint32_t checksum(uint32_t sum, const void *octets, uint32_t length)
{
	for (const uint8_t *octet = octets; length > 0; length--) {
		sum ^= *octet++;
		for (int bit = 0; bit < 8; bit++) sum = sum >> 1 ^ (0xedb88320u & -(sum & 1));
	}
	return sum;
}

static uint32_t checksumOf(const Record *record, const void *key, const void *value)
{
	uint32_t sum = checksum(UINT32_MAX, (const uint8_t *)record + 4, RECORD_HEADER - 4);
	sum = checksum(sum, key, record->keyLength);
	return ~checksum(sum, value, record->valueLength);
}

static uint32_t octetsOf(const Record *record)
{
	return (RECORD_HEADER + record->keyLength + record->valueLength + 3u) & ~3u;
}

/* The record at an offset; NULL if none that is whole begins there. */
static const Record *recordAt(unsigned of, uint32_t offset)
{
	const Record *record = (const Record *)(const void *)(flashPage(of) + offset);
	if (offset + RECORD_HEADER > FLASH_PAGE_OCTETS || offset + octetsOf(record) > FLASH_PAGE_OCTETS)
		return NULL;
	const uint8_t *key = (const uint8_t *)(record + 1);
	return record->checksum == checksumOf(record, key, key + record->keyLength) ? record : NULL;
}

static const Record *newest(unsigned of, const void *key, uint32_t keyLength)
{
	const Record *found = NULL, *record;
	for (uint32_t offset = PAGE_HEADER; (record = recordAt(of, offset)) != NULL; offset += octetsOf(record))
		if (record->keyLength == keyLength && memcmp(record + 1, key, keyLength) == 0)
			found = record;
	return found;
}

/* 0 where the page has no valid header. */
static uint32_t sequenceOf(unsigned of)
{
	const uint32_t *header = (const uint32_t *)(const void *)flashPage(of);
	return header[0] == MAGIC && header[1] == ~header[2] ? header[1] : 0;
}

/* Programs pieces one after the other, in whole words. */
static void program(const void *octets, uint32_t length, uint8_t word[4], uint32_t *filled)
{
	for (const uint8_t *octet = octets; length > 0; length--) {
		word[(*filled)++] = *octet++;
		if (*filled < 4)
			continue;
		flashProgram(page, end, word, 4);
		end += 4;
		*filled = 0;
	}
}

static void append(const Record *record, const void *key, const void *value)
{
	static const uint8_t padding[3] = { 255, 255, 255 };
	uint8_t word[4];
	uint32_t filled = 0;
	program(record, RECORD_HEADER, word, &filled);
	program(key, record->keyLength, word, &filled);
	program(value, record->valueLength, word, &filled);
	program(padding, (4 - filled) % 4, word, &filled);
}

/* Copies what counts to the other page and goes over to it. */
static void compact(void)
{
	const unsigned old = page;
	const uint32_t sequence = sequenceOf(old);
	const uint32_t header[] = { MAGIC, sequence + 1, ~(sequence + 1), UINT32_MAX };
	const Record *record;
	page = (old + 1) % FLASH_PAGES;
	flashErase(page);
	end = PAGE_HEADER;
	for (uint32_t offset = PAGE_HEADER; sequence != 0 && (record = recordAt(old, offset)) != NULL; offset += octetsOf(record)) {
		const uint8_t *key = (const uint8_t *)(record + 1);
		if (record->kind == VALUE && newest(old, key, record->keyLength) == record)
			append(record, key, key + record->keyLength);
	}
	/* Last: until its complement is there, the old page counts. */
	flashProgram(page, 0, header, sizeof header);
}

void openLog(void)
{
	const Record *record;
	page = sequenceOf(1) > sequenceOf(0) ? 1 : 0;
	if (sequenceOf(page) == 0) {
		compact();
		return;
	}
	for (end = PAGE_HEADER; (record = recordAt(page, end)) != NULL; end += octetsOf(record)) {
	}
	const uint8_t *octets = flashPage(page);
	for (uint32_t offset = end; offset < FLASH_PAGE_OCTETS; offset++) {
		if (octets[offset] == 255)
			continue;
		compact();
		return;
	}
}

const uint8_t *readLog(const char *key, uint32_t *length)
{
	const uint32_t keyLength = strlen(key);
	const Record *record = newest(page, key, keyLength);
	if (record == NULL || record->kind != VALUE)
		return NULL;
	*length = record->valueLength;
	return (const uint8_t *)(record + 1) + keyLength;
}

int writeLog(const char *key, const uint8_t *value, uint32_t length)
{
	Record record = { .valueLength = (uint16_t)length, .keyLength = (uint8_t)strlen(key), .kind = value ? VALUE : DELETED };
	record.checksum = checksumOf(&record, key, value);
	if (end + octetsOf(&record) > FLASH_PAGE_OCTETS)
		compact();
	if (end + octetsOf(&record) > FLASH_PAGE_OCTETS)
		return 0;
	append(&record, key, value);
	return 1;
}
