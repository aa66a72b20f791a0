/* CMSDK timers: 0 counts down all the time, 1 wakes the processor. Both run at 25 MHz. */
#include "board.h"

#define TIMER_0 0x40000000u
#define TIMER_1 0x40001000u
#define CONTROL(timer) REGISTER(timer)
#define VALUE(timer) REGISTER((timer) + 4)
#define RELOAD(timer) REGISTER((timer) + 8)
#define INTERRUPT(timer) REGISTER((timer) + 12)

enum { ENABLE = 1, INTERRUPT_ENABLE = 8 };

static uint32_t last, turns;

void initializeTimer(void)
{
	RELOAD(TIMER_0) = UINT32_MAX;
	VALUE(TIMER_0) = UINT32_MAX;
	CONTROL(TIMER_0) = ENABLE | INTERRUPT_ENABLE;
	enableInterrupt(IRQ_TIMER_0);
	enableInterrupt(IRQ_TIMER_1);
}

uint64_t ticksNow(void)
{
	const uint32_t up = UINT32_MAX - VALUE(TIMER_0);
	INTERRUPT(TIMER_0) = 1;
	if (up < last)
		turns++;
	last = up;
	return (uint64_t)turns << 32 | up;
}

void wakeAfter(uint32_t ticks)
{
	CONTROL(TIMER_1) = 0;
	INTERRUPT(TIMER_1) = 1;
	if (ticks == 0)
		return;
	RELOAD(TIMER_1) = ticks;
	VALUE(TIMER_1) = ticks;
	CONTROL(TIMER_1) = ENABLE | INTERRUPT_ENABLE;
}
