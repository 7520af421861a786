/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Two controllers: each has its own targets, and one works while the other runs a
 * command.
 */
#include "checks.h"

#define MS 10000u /* in 100 ns */

static struct {
	volatile bool running;
	volatile u32 calls, right;
} nested;

static bool second_works(void)
{
	static u8 data[BLOCK];
	struct command c;

	memset(data, FILL, sizeof(data));
	command_read(&c, 9, 1, data, sizeof(data));
	command_send_to(&c, SECOND, ID_SECOND, 0);
	for (u32 i = 0; i < sizeof(data); i++)
		if (data[i] != SECOND_BYTE)
			return false;
	return !c.status && !c.packet.target_status;
}

static void EFIAPI notified(efi_event event, void *context)
{
	(void)event;
	(void)context;
	if (!nested.running)
		return;
	nested.calls++;
	nested.right += second_works();
}

static void check_nested(void)
{
	static u8 data[256 * BLOCK];
	struct command c;
	efi_event event;

	command_read(&c, 0, 256, data, sizeof(data));
	c.packet.timeout = SECONDS(100);
	command_send(&c, ID_SLOW); /* so that the next one takes seconds */
	memset(data, FILL, sizeof(data));
	command_read(&c, 9, 1, data, BLOCK);
	c.packet.timeout = SECONDS(100);
	boot->create_event(EVT_TIMER | EVT_NOTIFY_SIGNAL, TPL_NOTIFY, notified, NULL, &event);
	boot->set_timer(event, TIMER_PERIODIC, 50 * MS);
	nested.running = true;
	command_send(&c, ID_SLOW);
	nested.running = false;
	boot->close_event(event);
	check_ending("a command of the first while the second has others", ENDS_WELL(BLOCK), &c);
	check_equal("its data", BLOCK, disk_equal(data, 9, BLOCK));
	check_true("the second has commands meanwhile", nested.calls > 0);
	check_equal("each of them is right", nested.calls, nested.right);
}

void check_several(void)
{
	static u8 data[36];
	struct command c;

	command_settle_at(SECOND, ID_SECOND);
	check_true("the protocol's instances differ", SECOND != BUS);
	check_true("the second reads its own disk", second_works());
	check_true("the first reads its own disk", disk_works(ID_DISK));
	command_inquiry(&c, data, sizeof(data));
	command_send_to(&c, SECOND, ID_OTHER, 0);
	check_status("the second does not have the first's target", EFI_TIMEOUT, c.status);
	command_inquiry(&c, data, sizeof(data));
	command_send(&c, ID_SECOND);
	check_status("the first does not have the second's target", EFI_TIMEOUT, c.status);
	check_status("ResetChannel of the second", EFI_SUCCESS, SECOND->reset_channel(SECOND));
	command_ready(&c);
	command_send(&c, ID_DISK);
	check_ending("it does not reset the first", ENDS_WELL(0), &c);
	command_settle_at(SECOND, ID_SECOND);
	check_nested();
}
