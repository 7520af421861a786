/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Calls at each priority level, with an event, and from a timer's notification while
 * another command runs.
 */
#include "checks.h"

#define LARGE (4 * MIB)
#define MS 10000u /* in 100 ns */

static u8 *area;

static void check_levels(void)
{
	static const efi_tpl levels[] = {TPL_APPLICATION, TPL_CALLBACK, TPL_NOTIFY};
	u32 wrong = 0, moved = 0;

	for (u32 i = 0; i < ARRAY_SIZE(levels); i++) {
		efi_tpl before = boot->raise_tpl(levels[i]);
		bool works = disk_works(ID_DISK);

		/* Raising to a level that is lower than the current one is not allowed. */
		efi_tpl after = boot->raise_tpl(TPL_HIGH_LEVEL);
		boot->restore_tpl(before);
		if (!works)
			wrong = i + 1;
		if (after != levels[i])
			moved = i + 1;
	}
	check_each("TPL_APPLICATION, TPL_CALLBACK, TPL_NOTIFY", wrong);
	check_each("the level is the same afterwards", moved);
}

/* Without NONBLOCKIO, the event is ignored and the call blocks. */
static void check_event(void)
{
	u8 target[TARGET_MAX_BYTES] = {ID_DISK};
	struct command c;
	efi_event event;

	memset(area, FILL, BLOCK);
	command_read(&c, 9, 1, area, BLOCK);
	boot->create_event(0, TPL_CALLBACK, NULL, NULL, &event);
	c.status = BUS->pass_thru(BUS, target, 0, &c.packet, event);
	check_ending("a call with an event", ENDS_WELL(BLOCK), &c);
	check_equal("its data are there on return", BLOCK, disk_equal(area, 9, BLOCK));
	check_status("its event is not signalled", EFI_NOT_READY, boot->check_event(event));
	boot->close_event(event);
}

/* What the notification does while `running` */
static struct {
	efi_event event;
	volatile bool running;
	volatile u32 calls, refused, changed, resets_refused;
} nested;

static void EFIAPI notified(efi_event event, void *context)
{
	static u8 data[36];
	struct command c;
	u8 target[TARGET_MAX_BYTES] = {ID_OTHER};

	(void)event;
	(void)context;
	if (!nested.running)
		return;
	nested.calls++;
	memset(data, FILL, sizeof(data));
	command_inquiry(&c, data, sizeof(data));
	command_send(&c, ID_OTHER);
	nested.refused += c.status == EFI_NOT_READY;
	nested.changed += memory_filled(data, sizeof(data)) != sizeof(data);
	if (nested.calls == 1)
		nested.resets_refused = EFI_ERROR(BUS->reset_target_lun(BUS, target, 0)) &&
					EFI_ERROR(BUS->reset_channel(BUS));
}

/* Send it while a timer's notification sends others. */
static void send_disturbed(struct command *c, u8 id)
{
	memset(&nested, 0, sizeof(nested));
	boot->create_event(EVT_TIMER | EVT_NOTIFY_SIGNAL, TPL_NOTIFY, notified, NULL,
			   &nested.event);
	boot->set_timer(nested.event, TIMER_PERIODIC, MS);
	nested.running = true;
	command_send(c, id);
	nested.running = false;
	boot->close_event(nested.event);
}

static void check_nested(void)
{
	struct command c;

	command_read(&c, 0, 256, area, 256 * BLOCK);
	c.packet.timeout = SECONDS(100);
	command_send(&c, ID_SLOW); /* so that the next one takes seconds */
	memset(area, FILL, LARGE);
	command_read(&c, 9, 1, area, BLOCK);
	c.packet.timeout = SECONDS(100);
	send_disturbed(&c, ID_SLOW);
	check_ending("a command during which others are sent", ENDS_WELL(BLOCK), &c);
	check_equal("its data", BLOCK, disk_equal(area, 9, BLOCK));
	check_true("others were sent", nested.calls > 0);
	check_equal("each of the others is NOT_READY", nested.calls, nested.refused);
	check_equal("no buffer of the others changes", 0, nested.changed);
	check_true("resets fail during a command", nested.resets_refused);
	command_read(&c, 100, LARGE / BLOCK, area, LARGE);
	send_disturbed(&c, ID_DISK);
	check_ending("a large command during which others are sent", ENDS_WELL(LARGE), &c);
	check_equal("the large command's data", LARGE, disk_equal(area, 100, LARGE));
	check_true("the bus works afterwards", disk_works(ID_OTHER));
}

void check_calls(void)
{
	area = memory_low(LARGE);
	command_settle(ID_OTHER);
	check_levels();
	check_event();
	check_nested();
}
