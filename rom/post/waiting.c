/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Limits the time that the scan waits for units. During the scan, each command passes
 * waiting_execute() on its way to the chip driver.
 */
#include "waiting.h"

#include "pc/clock.h"
#include "pc/console.h"
#include "rom/workspace.h"
#include "state.h"

#define MARK_MS 28u /* a unit of clock_mark() is a little less */
#define MOST_MS 58000 /* the recovery of the last command takes up to 2 s */
#define BEGIN_UNIT_MS 50000
#define BEGIN_IN_PASS_MS 10000
#define SPIN_UP_MS 45000
#define ANNOUNCE_MS 2000

static u32 ms_since(u16 mark)
{
	return (u16)(clock_mark() - mark) * MARK_MS;
}

/* Print the line of a target that takes long. */
static void announce(u8 target)
{
	u16 bit = (u16)(1u << target);

	if (workspace.quiet || post.announced & bit ||
	    ms_since(post.unit_begun) < ANNOUNCE_MS)
		return;
	post.announced |= bit;
	console_newline();
	console_rom(ROM_STRING("  waiting for ID "));
	console_decimal(target);
}

/* hba.execute during the scan */
static enum hba_result waiting_execute(struct hba *hba, struct hba_request *request)
{
	u32 passed_ms = ms_since(post.got_further);

	announce(request->target);
	if (passed_ms >= MOST_MS)
		return HBA_TIMEOUT;
	if (request->timeout_ms > MOST_MS - passed_ms)
		request->timeout_ms = MOST_MS - passed_ms;
	return lsi_execute(hba, request);
}

void waiting_begin(void)
{
	post.announced = 0;
	waiting_got_further();
	workspace.lsi.hba.execute = waiting_execute;
}

void waiting_end(void)
{
	workspace.lsi.hba.execute = lsi_execute;
}

void waiting_pause(u32 seconds)
{
	u16 begun = clock_mark();

	for (; seconds; seconds--)
		clock_delay_us(1000000);
	u16 passed = (u16)(clock_mark() - begun);
	post.got_further = (u16)(post.got_further + passed);
	post.unit_begun = (u16)(post.unit_begun + passed);
}

void waiting_for_unit(void)
{
	post.unit_begun = clock_mark();
}

void waiting_spin_up(void)
{
	post.spin_up_begun = clock_mark();
}

void waiting_got_further(void)
{
	post.got_further = clock_mark();
	waiting_spin_up();
}

u32 waiting_patience_ms(void)
{
	u32 passed_ms = ms_since(post.spin_up_begun);

	return passed_ms < SPIN_UP_MS ? SPIN_UP_MS - passed_ms : 0;
}

bool waiting_pass_is_over(void)
{
	return ms_since(post.got_further) >= BEGIN_IN_PASS_MS;
}

bool waiting_is_over(void)
{
	return ms_since(post.got_further) >= BEGIN_UNIT_MS;
}
