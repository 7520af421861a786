/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * pc/clock.c, the clock of the ROM, with an 8254 that a test steps (test_clock.py).
 */
#define PC_PORT_H
#include "pc/types.h"

static u16 count;
static u8 bytes_read, mode;
static u16 step;

static void outb(u16 port, u8 value)
{
	(void)value;
	if (port == 0x43) { /* a read-back latches status and count */
		count = (u16)(count - step);
		bytes_read = 0;
	}
}

static u8 inb(u16 port)
{
	(void)port;
	switch (bytes_read++) {
	case 0:
		return 0x30 | mode;
	case 1:
		return (u8)count;
	default:
		return (u8)(count >> 8);
	}
}

static void irq_window(void)
{
}

u32 clock_counted;

#include "pc/clock.c"

u32 polls_until(u32 timeout_ms, u32 most, u32 ticks, u32 pit_mode);

/* How often clock_expired() says no, up to `most` times, if `ticks` pass between two calls. */
u32 polls_until(u32 timeout_ms, u32 most, u32 ticks, u32 pit_mode)
{
	struct clock clock;
	u32 polls = 0;

	step = (u16)ticks;
	mode = (u8)pit_mode;
	clock_start(&clock, timeout_ms);
	while (polls < most && !clock_expired(&clock))
		polls++;
	return polls;
}
