/*
 * Values by key in two flash pages. One page is in use: a header, then records, the newest of a key counts. A record is
 * valid by its checksum, so that one that was cut off is no record. A full page is copied to the other one, whose header
 * is written last; of two valid headers the later sequence number counts.
 *
 *   page    "BEST", sequence (4), its complement (4), 4 octets unused
 *   record  CRC-32 of what follows (4), octets of value (2), octets of key (1), 1 value or 2 deleted (1), key, value,
 *           padding with ones to a multiple of 4
 *
 * All numbers are little-endian. host-tools/board/flash-image.ts knows the same format.
 */
#ifndef BEST_LOG_H
#define BEST_LOG_H

#include <stdint.h>

#define LOG_KEY_LIMIT 32u
#define LOG_VALUE_LIMIT 1024u

/* Finds the page in use, makes one where there is none, and does away with a record that was cut off. */
void openLog(void);
/* NULL where there is no value; the value stays where it is until the next write. */
const uint8_t *readLog(const char *key, uint32_t *length);
/* `value` NULL: deletes. 0 where there is no room. */
int writeLog(const char *key, const uint8_t *value, uint32_t length);

#endif
