/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The chip model's time.
 */
#ifndef PC_CLOCK_H
#define PC_CLOCK_H

#include "pc/io.h"

struct clock {
	u64 end_us;
};

#define CLOCK_NEVER_MS 0xffffffffu /* 49 days */

static inline void clock_start(struct clock *clock, u32 timeout_ms)
{
	clock->end_us = the_model->pass_us(0) + (u64)timeout_ms * 1000;
}

static inline bool clock_expired(struct clock *clock)
{
	return the_model->wait() >= clock->end_us;
}

static inline void clock_delay_us(u32 delay_us)
{
	(void)the_model->pass_us(delay_us);
}

#define US_PER_MARK 27465u

static inline u16 clock_mark(void)
{
	return (u16)(the_model->pass_us(0) / US_PER_MARK);
}

static inline bool clock_passed(u16 mark, u32 ms)
{
	return (u64)(u16)(clock_mark() - mark) * US_PER_MARK >=
	       (u64)ms * 1000;
}

#endif
