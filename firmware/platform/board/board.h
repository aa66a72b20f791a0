/* The machine: a Cortex-M4 as QEMU's mps2-an386 has it (Arm application note AN386), and what stands for its parts. */
#ifndef BEST_BOARD_H
#define BEST_BOARD_H

#include <stddef.h>
#include <stdint.h>

#include "flash.h"

#define REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))

/* Interrupt lines (AN386 table 3-5). They wake the processor; nothing is handled in an interrupt. */
enum { IRQ_UART_RECEIVE = 0, IRQ_TIMER_0 = 8, IRQ_TIMER_1 = 9, IRQ_ETHERNET = 13 };

void enableInterrupt(unsigned line);
/* Waits until an enabled line is raised, then lowers all of them. */
void waitForInterrupt(void);
void resetBoard(void) __attribute__((noreturn));
/* Ends the emulator with a status; a device without a debugger would stop here. */
void exitBoard(int status) __attribute__((noreturn));

/* uart.c: lines out, frames in. */
void initializeUart(void);
void uartWrite(const char *text, size_t length);
/* The next octet, -1 where none waits. */
int uartRead(void);
/* "board: " and a text, as one line. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* timer.c: 25 MHz. */
#define TICKS_PER_MILLISECOND 25000u
void initializeTimer(void);
/* Since the start; to be called at least every 171 s, which the timer's interrupt sees to. */
uint64_t ticksNow(void);
/* Raises IRQ_TIMER_1 after some ticks, UINT32_MAX at most; 0 stops it. */
void wakeAfter(uint32_t ticks);

/* ethernet.c: LAN9118. A frame carries one datagram; see there. */
#define LINK_HEADER_OCTETS 14
#define LONGEST_DATAGRAM 1500
void initializeEthernet(void);
int ethernetWaits(void);
void ethernetSend(const uint8_t header[LINK_HEADER_OCTETS], const uint8_t *payload, uint32_t length);
/* The length of the payload taken, cut off at `room`; -1 where no datagram waits. */
int ethernetReceive(uint8_t *into, uint32_t room);

/* random.c: false where the host has given too few octets. */
int takeRandom(uint8_t *into, uint32_t length);

/* memory.c: where the engine's memory comes from. */
void *takeFromPool(size_t octets, int fromTop);
typedef struct {
	/* The most octets taken: of the pool by the engine, and of the C heap. */
	uint32_t pool, cHeap;
	/* The most octets of the C stack that were ever in use. */
	uint32_t stack;
} MemoryPeaks;
MemoryPeaks memoryPeaks(void);
/* Lowest address that the C stack may reach. */
char *stackLimit(void);

#endif
