/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Time without interrupts. Part of the machine interface (types.h), except for
 * clock_setup(). Here: counter 0 of the 8254, read back with its mode. It
 * works with IRQ0 masked or dead, and under any reload value.
 */
#ifndef PC_CLOCK_H
#define PC_CLOCK_H

#include "types.h"

#define HALF_TICKS_PER_MS 2386u

struct clock {
	u32 left;     /* half PIT ticks (2.386 MHz) until expiry */
	u16 previous; /* counter at the last look */
	bool looked;  /* there was one */
};

/* Once, during init: where the BIOS has left counter 0 without a setting, give
 * it the usual one.
 */
void clock_setup(void);

/* Begin a wait of timeout_ms (0 to 1 200 000). Its time counts from the first
 * clock_expired().
 */
static inline void clock_start(struct clock *clock, u32 timeout_ms)
{
	clock->left = timeout_ms * HALF_TICKS_PER_MS;
	clock->looked = false;
}

/* True once the time is over. Call it at least every 27 ms: time lost in a longer
 * gap makes the wait longer, never shorter. Each call counts at least half a tick,
 * so that a stopped counter cannot make a wait endless.
 */
bool clock_expired(struct clock *clock);

/* Wait at least delay_us (up to 1 000 000). */
void clock_delay_us(u32 delay_us);

#endif
