/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Time limits by a periodic timer event, and by Stall() in case timers do not run
 * (efi/clock.c). Part of the machine interface (pc/types.h), except for clock_setup() and
 * clock_end().
 */
#ifndef PC_CLOCK_H
#define PC_CLOCK_H

#include "efi/efi.h"

/* Ends of a time limit in us, one for each way to measure time */
struct clock {
	u64 by_timer, by_stalls;
};

/* Create the timer event. Call it once, before any other function; clock_end() gives the
 * event back. Returns a status of the boot services.
 */
efi_status clock_setup(void);
void clock_end(void);

#define CLOCK_NEVER_MS 0xffffffffu /* 49 days; no command of this driver has it */

/* Start a time limit of timeout_ms (0 to 1 200 000, or CLOCK_NEVER_MS). */
void clock_start(struct clock *clock, u32 timeout_ms);

/* True once the time limit has expired. It takes some time itself: polling is done
 * between two calls. Waits may become longer, never shorter.
 */
bool clock_expired(struct clock *clock);

/* Wait at least delay_us. */
void clock_delay_us(u32 delay_us);

#endif
