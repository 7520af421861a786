/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Targets that send less data than the buffer takes, or more. Less is no error: the
 * transfer length becomes what the target sent. More is an overrun: an error, and no
 * byte after the buffer changes.
 */
#include "checks.h"

#define AREA (2 * MIB)

static u8 *area;

static const struct row {
	const char *name;
	u32 blocks, bytes;
} overruns[] = {
	{.name = "a block into 511 bytes", 1, 511},
	{.name = "a block into 100 bytes", 1, 100},
	{.name = "a block into 1 byte", 1, 1},
	{.name = "a block without a buffer", 1, 0},
	{.name = "8 blocks into 1 block", 8, BLOCK},
	{.name = "32 blocks into 16 blocks", 32, 16 * BLOCK},
};

static void check_overruns(void)
{
	struct command c;
	u32 written = 0, fails = 0;

	for (u32 i = 0; i < ARRAY_SIZE(overruns); i++) {
		const struct row *row = &overruns[i];
		const struct ending overrun = {
			EFI_DEVICE_ERROR,
			EFI_EXT_SCSI_STATUS_HOST_ADAPTER_DATA_OVERRUN_UNDERRUN, TARGET_GOOD,
			row->bytes};

		memset(area, FILL, AREA);
		command_read(&c, 30, row->blocks, row->bytes ? area : NULL, row->bytes);
		command_send(&c, ID_DISK);
		check_ending(row->name, overrun, &c);
		if (!written && memory_filled(area + row->bytes, AREA - row->bytes) !=
					AREA - row->bytes)
			written = i + 1;
		if (!fails && !disk_works(ID_DISK))
			fails = i + 1;
	}
	check_each("no byte after the buffer changes", written);
	check_each("the next command is right", fails);
}

static void check_short(void)
{
	struct command c;

	memset(area, FILL, 256);
	command_inquiry(&c, area, 36);
	c.packet.in_transfer_length = 255;
	command_send(&c, ID_DISK);
	check_ending("36 bytes into 255", ENDS_WELL(36), &c);
	check_equal("bytes after 36 are unchanged", 256 - 36, memory_filled(area + 36, 256 - 36));

	memset(area, FILL, AREA);
	command_read(&c, 30, 2, area, MIB);
	command_send(&c, ID_DISK);
	check_ending("2 blocks into 1 MiB", ENDS_WELL(2 * BLOCK), &c);
	check_equal("their data", 2 * BLOCK, disk_equal(area, 30, 2 * BLOCK));
	check_equal("bytes after 2 blocks are unchanged", MIB,
		    memory_filled(area + 2 * BLOCK, MIB));

	command_ready(&c);
	c.packet.in_data_buffer = area;
	c.packet.in_transfer_length = BLOCK;
	memset(area, FILL, BLOCK);
	command_send(&c, ID_DISK);
	check_ending("no data for a buffer", ENDS_WELL(0), &c);
	check_equal("a buffer without data is unchanged", BLOCK, memory_filled(area, BLOCK));
}

/* The longest length: data of the address space's size cannot be mapped, so the
 * driver may offer less [UEFI 2.10 "PassThru()", EFI_BAD_BUFFER_SIZE].
 */
static void check_longest(void)
{
	struct command c;

	command_inquiry(&c, area, 36);
	c.packet.in_transfer_length = ~0u;
	command_send(&c, ID_DISK);
	check_true("a buffer of 4 GiB less a byte is taken or refused",
		   c.status == EFI_SUCCESS || c.status == EFI_BAD_BUFFER_SIZE);
	check_true("a smaller length is offered", command_moved(&c) < ~0u && command_moved(&c) >= 36);
}

/* Data in the other direction than the packet's */
static void check_direction(void)
{
	struct command c;

	memset(area, FILL, BLOCK);
	command_read(&c, 30, 1, NULL, 0);
	c.packet.data_direction = EFI_EXT_SCSI_DATA_DIRECTION_WRITE;
	c.packet.out_data_buffer = area;
	c.packet.out_transfer_length = BLOCK;
	command_send(&c, ID_DISK);
	check_status("data in for a packet with data out", EFI_DEVICE_ERROR, c.status);
	check_equal("its buffer is unchanged", BLOCK, memory_filled(area, BLOCK));
	command_settle(ID_DISK);
	check_true("the next command after it", disk_works(ID_DISK));
}

void check_lengths(void)
{
	area = memory_low(AREA);
	command_settle(ID_DISK);
	check_short();
	check_overruns();
	check_longest();
	check_direction();
}
