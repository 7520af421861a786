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

static inline void clock_start(struct clock *clock, u32 timeout_ms)
{
	clock->end_us = the_model->pass_us(0) + (u64)timeout_ms * 1000;
}

static inline bool clock_expired(struct clock *clock)
{
	return the_model->pass_us(1) >= clock->end_us;
}

static inline void clock_delay_us(u32 delay_us)
{
	(void)the_model->pass_us(delay_us);
}

#endif
