/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Time [UEFI 2.10 "Event, Timer, and Task Priority Services", "Stall()"]. A timer event
 * without a notification function is signalled at any task priority level at which the
 * firmware's timer interrupt runs. Where it does not, only the time of our own Stall()
 * calls counts; waits then take a few times longer.
 */
#include "pc/clock.h"

#include "efi/driver.h"

#define PERIOD_US 10000u
#define STALL_US 50u

static efi_event timer;
static u64 by_timer, by_stalls; /* us, since clock_setup() */

efi_status clock_setup(void)
{
	efi_status status = boot->create_event(EVT_TIMER, 0, NULL, NULL, &timer);

	if (EFI_ERROR(status))
		return status;
	status = boot->set_timer(timer, TIMER_PERIODIC, PERIOD_US * 10);
	if (EFI_ERROR(status))
		clock_end();
	return status;
}

void clock_end(void)
{
	(void)boot->close_event(timer);
}

/* Count a period that has ended. Several that end between two calls count as one. */
static void count_period(void)
{
	if (boot->check_event(timer) == EFI_SUCCESS)
		by_timer += PERIOD_US;
}

void clock_start(struct clock *clock, u32 timeout_ms)
{
	u64 limit_us = (u64)timeout_ms * 1000;

	count_period(); /* a period that has already ended */
	clock->by_timer = by_timer + limit_us + PERIOD_US; /* the first one is a part */
	clock->by_stalls = by_stalls + limit_us;
}

bool clock_expired(struct clock *clock)
{
	count_period();
	clock_delay_us(STALL_US);
	return by_timer >= clock->by_timer || by_stalls >= clock->by_stalls;
}

void clock_delay_us(u32 delay_us)
{
	(void)boot->stall(delay_us);
	by_stalls += delay_us;
}
