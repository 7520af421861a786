/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Blocks of ID_FAILING that the host cannot read or write. The driver repeats nothing.
 * That disk is on the second controller, and this group comes after all others that
 * reset it: QEMU's model does not survive a reset of the chip after such an error.
 */
#include "checks.h"

#define UNREADABLE 1000u
#define UNWRITABLE 2000u
#define MEDIUM_ERROR 3
#define READ_ERROR 0x11
#define ABORTED_COMMAND 0x0b
#define AREA (64 * BLOCK)

static u8 *area;

static const struct ending checked = {EFI_SUCCESS, HOST_OK, TARGET_CHECK_CONDITION, 0};

static void check_reading(void)
{
	struct command c;

	memset(area, FILL, AREA);
	command_read(&c, UNREADABLE, 1, area, BLOCK);
	command_send_to(&c, SECOND, ID_FAILING, 0);
	check_ending("a block that cannot be read", checked, &c);
	check_equal("its sense key", MEDIUM_ERROR, c.sense[2] & 0x0f);
	check_equal("its additional sense code", READ_ERROR, c.sense[12]);
	check_true("the next command after it", disk_works_at(SECOND, ID_FAILING));
	command_read(&c, UNREADABLE - 8, 16, area, 16 * BLOCK);
	command_send_to(&c, SECOND, ID_FAILING, 0);
	check_ending("blocks of which one cannot be read", checked, &c);
	check_equal("their sense key", MEDIUM_ERROR, c.sense[2] & 0x0f);
	check_equal("no byte after them changes", AREA - 16 * BLOCK,
		    memory_filled(area + 16 * BLOCK, AREA - 16 * BLOCK));
	check_true("the next command after them", disk_works_at(SECOND, ID_FAILING));
}

static void check_writing(void)
{
	struct command c;

	command_write(&c, UNWRITABLE, 1, area, BLOCK);
	command_send_to(&c, SECOND, ID_FAILING, 0);
	check_ending("a block that cannot be written",
		     (struct ending){EFI_SUCCESS, HOST_OK, TARGET_CHECK_CONDITION, BLOCK}, &c);
	check_equal("the sense key of a write", ABORTED_COMMAND, c.sense[2] & 0x0f);
	check_true("the next command after a write", disk_works_at(SECOND, ID_FAILING));
	command_read(&c, 9, 1, area, BLOCK);
	command_send_to(&c, SECOND, ID_SECOND, 0);
	check_ending("another target after a write", ENDS_WELL(BLOCK), &c);
}

void check_errors(void)
{
	area = memory_low(AREA);
	command_settle_at(SECOND, ID_FAILING);
	command_settle_at(SECOND, ID_SECOND);
	check_reading();
	check_writing();
}
