/* From reset to main, and what happens when the processor faults. */
#include <string.h>

#include "board.h"

#define SCB_VTOR 0xe000ed08
#define SCB_AIRCR 0xe000ed0c
#define SCB_SHCSR 0xe000ed24
#define SCB_CFSR 0xe000ed28
#define SCB_MMFAR 0xe000ed34
#define SCB_BFAR 0xe000ed38
#define NVIC_ISER 0xe000e100
#define NVIC_ICPR 0xe000e280
#define MPU_CTRL 0xe000ed94
#define MPU_RNR 0xe000ed98
#define MPU_RBAR 0xe000ed9c
#define MPU_RASR 0xe000eda0

extern uint32_t dataLoad[], dataStart[], dataEnd[], bssStart[], bssEnd[], stackBottom[], stackTop[];

int main(void);
void reset(void) __attribute__((noreturn));

void resetBoard(void)
{
	__asm volatile("dsb");
	REGISTER(SCB_AIRCR) = 0x05fa0004;
	for (;;) {
	}
}

void exitBoard(int status)
{
	/* Semihosting: SYS_EXIT_EXTENDED with ADP_Stopped_ApplicationExit. */
	const uint32_t block[] = { 0x20026, (uint32_t)status };
	register uint32_t operation __asm("r0") = 0x20;
	register const uint32_t *parameter __asm("r1") = block;
	__asm volatile("bkpt 0xab" : "+r"(operation) : "r"(parameter) : "memory");
	for (;;) {
	}
}

void enableInterrupt(unsigned line)
{
	REGISTER(NVIC_ISER) = 1u << line;
}

void waitForInterrupt(void)
{
	/* Interrupts are masked for good (reset), so a raised line only ends the wait. */
	__asm volatile("dsb\n wfi\n isb" ::: "memory");
	REGISTER(NVIC_ICPR) = 0xffffffff;
}

/* Flash must not be written to: a store there is a mistake of the ROM image and ends in a fault. */
static void protectFlash(void)
{
	REGISTER(MPU_RNR) = 0;
	REGISTER(MPU_RBAR) = 0;
	/* 4 MB, read-only for everybody, enabled (ARMv7-M B3.5.8). */
	REGISTER(MPU_RASR) = 6u << 24 | 21u << 1 | 1u;
	/* The default map for all else. */
	REGISTER(MPU_CTRL) = 5;
	__asm volatile("dsb\n isb");
}

void reset(void)
{
	__asm volatile("cpsid i");
	initializeTimer();
	memcpy(dataStart, dataLoad, (size_t)((char *)dataEnd - (char *)dataStart));
	memset(bssStart, 0, (size_t)((char *)bssEnd - (char *)bssStart));
	REGISTER(SCB_SHCSR) = 7u << 16;
	protectFlash();
	initializeUart();
	/* What has never been written over tells afterwards how deep the stack went. */
	uint32_t *here = __builtin_frame_address(0);
	for (uint32_t *word = stackBottom; word < here - 16; word++) *word = 0x5ac35ac3;
	main();
	resetBoard();
}

static void __attribute__((used)) fault(const uint32_t *frame, uint32_t number)
{
	complain("fault %u at %08x (called from %08x): status %08x, address %08x %08x.", (unsigned)number, (unsigned)frame[6],
		(unsigned)frame[5], (unsigned)REGISTER(SCB_CFSR), (unsigned)REGISTER(SCB_MMFAR), (unsigned)REGISTER(SCB_BFAR));
	resetBoard();
}

/* On a stack of its own: the fault may be that of an exhausted one. */
static uint64_t faultStack[64];

static void __attribute__((naked)) enterFault(void)
{
	__asm volatile("mrs r0, msp\n mrs r1, ipsr\n ldr r2, =%c0\n msr msp, r2\n b fault" ::"i"(&faultStack[64]));
}

__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {
	stackTop, reset, enterFault, enterFault, enterFault, enterFault, enterFault, enterFault,
	enterFault, enterFault, enterFault, enterFault, enterFault, enterFault, enterFault, enterFault,
};
