/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Commands to a target that hangs for some seconds: QEMU limits the rates of ID_SLOW and
 * ID_PAUSING. After a large command, the next one takes until the average rate is met. The
 * packet's time-out must end it, and the bus must work at once.
 */
#include "checks.h"

#define LARGE (128 * 1024u) /* at 64 KiB/s, the next command takes 2 s */
#define SHORTLY (SECONDS(1) / 2)
#define TRIES 5
#define LONG (4 * MIB) /* at 128 KiB/s, takes 32 s */

static const struct ending late = {EFI_TIMEOUT, EFI_EXT_SCSI_STATUS_HOST_ADAPTER_TIMEOUT_COMMAND,
				   TARGET_GOOD, 0};

static u8 *area;

/* Read so that the next command hangs. */
static bool use_up(void)
{
	struct command c;

	command_settle(ID_SLOW);
	command_read(&c, 0, LARGE / BLOCK, area, LARGE);
	c.packet.timeout = SECONDS(100);
	command_send(&c, ID_SLOW);
	return !c.status && command_moved(&c) == LARGE && disk_equal(area, 0, LARGE) == LARGE;
}

/* Send a command that hangs. On a busy host, the driver's time is slow: if the command
 * succeeds, it is repeated with half the time-out.
 */
static void send_hung(struct command *c, efi_tpl level)
{
	u32 bytes = command_moved(c);

	for (u32 tries = 0; tries < TRIES; tries++) {
		c->packet.timeout = SHORTLY >> tries;
		(void)use_up();
		memset(area, FILL, BLOCK);
		efi_tpl before = boot->raise_tpl(level);
		command_send(c, ID_SLOW);
		boot->restore_tpl(before);
		if (c->status || c->packet.target_status || command_moved(c) != bytes)
			return;
	}
}

static void check_reading(void)
{
	struct command c;

	check_true("a slow command within its time-out", use_up());
	command_read(&c, 9, 1, area, BLOCK);
	send_hung(&c, TPL_APPLICATION);
	check_ending("a hung read", late, &c);
	check_equal("SenseDataLength of a hung read", 0, c.packet.sense_data_length);
	command_settle(ID_DISK);
	check_true("another target after a hung read", disk_works(ID_DISK));
	command_settle(ID_SLOW);
	check_true("the same target after a hung read", disk_works(ID_SLOW));
}

/* QEMU reads 128 KiB at a time: the target hangs while it holds the bus, and its next data
 * comes soon after the time-out.
 */
static void check_inside_data(void)
{
	struct command c;

	command_settle(ID_PAUSING);
	memset(area, FILL, LONG + BLOCK);
	command_read(&c, 0, LONG / BLOCK, area, LONG);
	c.packet.timeout = SECONDS(5) / 2;
	command_send(&c, ID_PAUSING);
	check_ending("a read that hangs amid its data", late, &c);
	check_equal("no byte after the buffer changes", BLOCK, memory_filled(area + LONG, BLOCK));
	command_settle(ID_DISK);
	check_true("another target after data that hung", disk_works(ID_DISK));
	command_settle(ID_PAUSING);
	check_true("the same target after data that hung", disk_works(ID_PAUSING));
}

static void check_writing(void)
{
	struct command c;

	command_write(&c, 40000, 1, area, BLOCK);
	send_hung(&c, TPL_APPLICATION);
	check_ending("a hung write", late, &c);
	command_settle(ID_DISK);
	check_true("another target after a hung write", disk_works(ID_DISK));
	command_settle(ID_SLOW);
	check_true("the same target after a hung write", disk_works(ID_SLOW));
}

/* Time passes at TPL_NOTIFY, too. */
static void check_level(void)
{
	struct command c;

	command_read(&c, 9, 1, area, BLOCK);
	send_hung(&c, TPL_NOTIFY);
	check_ending("a hung read at TPL_NOTIFY", late, &c);
	command_settle(ID_DISK);
	check_true("another target after TPL_NOTIFY", disk_works(ID_DISK));
}

/* Time-outs that must not end a slow command */
static const struct row {
	const char *name;
	u64 timeout;
} patient[] = {
	{.name = "time-out 0 waits", 0},
	{.name = "the longest time-out", ~0ull},
	{.name = "a time-out of 2^32 ms", (1ull << 32) * 10000},
};

static void check_patience(void)
{
	(void)use_up();
	for (u32 i = 0; i < ARRAY_SIZE(patient); i++) {
		struct command c;

		command_read(&c, 9, LARGE / BLOCK, area, LARGE);
		c.packet.timeout = patient[i].timeout;
		command_send(&c, ID_SLOW);
		check_ending(patient[i].name, ENDS_WELL(LARGE), &c);
	}
}

void check_timeouts(void)
{
	area = memory_low(LONG + BLOCK);
	check_reading();
	check_inside_data();
	check_writing();
	check_level();
	check_patience();
	command_settle(ID_SLOW);
}
