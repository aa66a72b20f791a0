/*
 * The board's log (firmware/platform/board/log.c) on a PC, with flash that loses its power after every number of words
 * and in the middle of one. Prints one line: the number of cuts after which neither the old nor the new value was there.
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "log.h"

static uint8_t flash[FLASH_PAGES][FLASH_PAGE_OCTETS] __attribute__((aligned(4)));
static jmp_buf powerCut;
static long wordsLeft;
static unsigned halfWord;

const uint8_t *flashPage(unsigned page)
{
	return flash[page];
}

static void store(uint8_t *word, const uint8_t value[4])
{
	if (wordsLeft-- == 0) {
		/* Of the word that is being written, some octets. */
		memcpy(word, value, halfWord);
		longjmp(powerCut, 1);
	}
	memcpy(word, value, 4);
}

void flashErase(unsigned page)
{
	static const uint8_t ones[4] = { 255, 255, 255, 255 };
	for (uint32_t i = 0; i < FLASH_PAGE_OCTETS; i += 4) store(flash[page] + i, ones);
}

void flashProgram(unsigned page, uint32_t offset, const void *octets, uint32_t length)
{
	for (uint32_t i = 0; i < length; i += 4) {
		uint8_t word[4];
		for (int j = 0; j < 4; j++) word[j] = ((const uint8_t *)octets)[i + j] & flash[page][offset + i + j];
		store(flash[page] + offset + i, word);
	}
}

#define VALUES 120u
#define OCTETS 61u

static void fill(uint8_t *value, unsigned number)
{
	for (unsigned i = 0; i < OCTETS; i++) value[i] = (uint8_t)(number + i);
}

/* The number of the value that is there, -1 where there is none or a wrong one. */
static int numberOf(const char *key)
{
	uint8_t expected[OCTETS];
	uint32_t length;
	const uint8_t *value = readLog(key, &length);
	if (value == NULL || length != OCTETS)
		return -1;
	fill(expected, value[0]);
	return memcmp(value, expected, OCTETS) == 0 ? value[0] : -1;
}

int main(void)
{
	uint8_t value[OCTETS];
	volatile long cuts = 0, losses = 0;
	volatile int isOver = 0;
	for (volatile long words = 0; !isOver; words += 11)
		for (halfWord = 0; halfWord < 4 && !isOver; halfWord++) {
			volatile unsigned written = 0;
			memset(flash, 0xa5, sizeof flash);
			wordsLeft = 1000000;
			openLog();
			fill(value, 200);
			writeLog("other", value, OCTETS);
			wordsLeft = words;
			if (setjmp(powerCut) == 0) {
				for (unsigned number = 1; number <= VALUES; number++) {
					fill(value, number);
					if (!writeLog("key", value, OCTETS))
						losses++;
					written = number;
				}
				isOver = 1;
				break;
			}
			cuts++;
			/* The power is back; it may go once more while the log is opened. */
			wordsLeft = words % 50;
			if (setjmp(powerCut) == 0)
				openLog();
			wordsLeft = 1000000;
			openLog();
			const int number = numberOf("key");
			if (numberOf("other") != 200 || !(number == (int)written || number == (int)written + 1 || (written == 0 && number == -1)))
				losses++;
			fill(value, 250);
			if (!writeLog("key", value, OCTETS) || numberOf("key") != 250)
				losses++;
		}
	printf("%ld losses after %ld power cuts\n", losses, cuts);
	return 0;
}
