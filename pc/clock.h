/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Measures time without interrupts. Part of the machine interface (types.h),
 * except for clock_setup(). This implementation reads counter 0 of the 8254
 * and its mode. It works with IRQ0 masked or dead, and with any reload value.
 */
#ifndef PC_CLOCK_H
#define PC_CLOCK_H

#include "types.h"

#define HALF_TICKS_PER_MS 2386u

/* Time limits above the longest one, which never expire */
#define CLOCK_NEVER_MS 1800000u
#define CLOCK_NEVER 0xc0000000u /* struct clock, `left`: at least this */
_Static_assert(CLOCK_NEVER_MS * HALF_TICKS_PER_MS >= CLOCK_NEVER &&
		       1200000u * HALF_TICKS_PER_MS < CLOCK_NEVER,
	       "only CLOCK_NEVER_MS never expires");

struct clock {
	u32 left;     /* half PIT ticks (2.386 MHz) until expiry */
	u16 previous; /* counter when it was last read */
	bool looked;  /* the counter has been read */
};

/* Program counter 0 with its usual mode and reload value if the BIOS has not.
 * Call it once, during init.
 */
void clock_setup(void);

/* Start a time limit of timeout_ms (0 to 1 200 000, or CLOCK_NEVER_MS). Time counts from
 * the first call of clock_expired().
 */
static inline void clock_start(struct clock *clock, u32 timeout_ms)
{
	clock->left = timeout_ms * HALF_TICKS_PER_MS;
	clock->looked = false;
}

/* True once the time limit has expired. Call it at least every 27 ms: a
 * longer gap makes the wait longer, never shorter. Each call counts at least
 * half a tick, so a stopped counter cannot make a wait endless. Calls
 * irq_window().
 */
bool clock_expired(struct clock *clock);

/* Wait at least delay_us (up to 1 000 000). */
void clock_delay_us(u32 delay_us);

/* Half PIT ticks that all calls of clock_expired() have counted; rom.ld places it in
 * the workspace.
 */
extern u32 clock_counted;

/* The time now, in units of 65536 half ticks, or 27.5 ms */
static inline u16 clock_mark(void)
{
	return (u16)(clock_counted >> 16);
}

/* Have the waits since the mark taken `ms` (up to 1 200 000)? Time counts only while
 * clock_expired() is called, as it is in every wait: a device that answers at once
 * seems to take no time.
 */
bool clock_passed(u16 mark, u32 ms);

#endif
