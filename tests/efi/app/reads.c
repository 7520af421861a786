/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Data from the target: content, every alignment, memory above 4 GiB, sizes up to
 * 4 MiB in one command. Bytes beside the buffer must not change.
 */
#include "checks.h"

#define GUARD 64u
#define MOST (4 * MIB)

static u8 *low, *high;

/* True if READ(10) of these blocks to this address is right and no byte beside it
 * changes.
 */
static bool read_is_right(u8 *at, u32 lba, u32 blocks)
{
	u32 bytes = blocks * BLOCK;
	struct command c;

	memset(at - GUARD, FILL, GUARD + bytes + GUARD);
	command_read(&c, lba, blocks, at, bytes);
	command_send(&c, ID_DISK);
	return !c.status && !c.packet.host_adapter_status && !c.packet.target_status &&
	       command_moved(&c) == bytes && disk_equal(at, lba, bytes) == bytes &&
	       memory_filled(at - GUARD, GUARD) == GUARD &&
	       memory_filled(at + bytes, GUARD) == GUARD;
}

static const struct size {
	const char *name;
	u32 lba, blocks;
} sizes[] = {
	{.name = "1 block", 1, 1},
	{.name = "the last block", DISK_BLOCKS - 1, 1},
	{.name = "7 blocks", 11, 7},
	{.name = "64 KiB less a block", 300, 127},
	{.name = "64 KiB", 300, 128},
	{.name = "64 KiB and a block", 300, 129},
	{.name = "1 MiB", 5000, 2048},
	{.name = "2 MiB and a block", 777, 4097},
	{.name = "4 MiB", 40000, 8192},
};

/* The number of the first alignment that fails, from 1 */
static u32 wrong_alignment(u8 *at)
{
	for (u32 i = 0; i < 8; i++)
		if (!read_is_right(at + GUARD + i, 20 + i, 3))
			return i + 1;
	return 0;
}

static void check_small(void)
{
	struct command c;

	command_ready(&c);
	command_send(&c, ID_DISK);
	check_ending("TEST UNIT READY has no data", ENDS_WELL(0), &c);
	memset(low, FILL, 64);
	command_inquiry(&c, low, 36);
	command_send(&c, ID_DISK);
	check_ending("INQUIRY of 36 bytes", ENDS_WELL(36), &c);
	check_true("INQUIRY data names QEMU", !memcmp(low + 8, "QEMU    ", 8));
	command_set(&c, (u8[10]){0x25}, 10, EFI_EXT_SCSI_DATA_DIRECTION_READ, low, 8);
	command_send(&c, ID_DISK);
	check_ending("READ CAPACITY", ENDS_WELL(8), &c);
	check_equal("the last block by READ CAPACITY", DISK_BLOCKS - 1, be32(low));
	check_equal("the block size by READ CAPACITY", BLOCK, be32(low + 4));
	command_read(&c, 5, 0, NULL, 0);
	command_send(&c, ID_DISK);
	check_ending("READ(10) of 0 blocks", ENDS_WELL(0), &c);
}

/* Packet, CDB and data above 4 GiB */
static void check_high_packet(void)
{
	struct command *c = (struct command *)(high + 2 * MIB);
	u8 *target = high + 3 * MIB;

	command_read(c, 77, 1, high, BLOCK);
	memset(target, 0, TARGET_MAX_BYTES);
	c->status = BUS->pass_thru(BUS, target, 0, &c->packet, NULL);
	check_ending("packet, CDB and target above 4 GiB", ENDS_WELL(BLOCK), c);
}

/* SCSI-2 groups 4 and 5 */
static void check_long_cdbs(void)
{
	struct command c;

	command_set(&c, (u8[16]){0x88, [9] = 55, [13] = 2}, 16,
		    EFI_EXT_SCSI_DATA_DIRECTION_READ, low, 2 * BLOCK);
	command_send(&c, ID_DISK);
	check_ending("CDB of 16 bytes", ENDS_WELL(2 * BLOCK), &c);
	check_equal("data of READ(16)", 2 * BLOCK, disk_equal(low, 55, 2 * BLOCK));
	command_set(&c, (u8[12]){0xa8, [5] = 66, [9] = 1}, 12, EFI_EXT_SCSI_DATA_DIRECTION_READ,
		    low, BLOCK);
	command_send(&c, ID_DISK);
	check_equal("data of READ(12)", BLOCK, disk_equal(low, 66, BLOCK));
}

void check_reads(void)
{
	low = memory_low(MOST + 4096);
	high = memory_high(MOST + 4096);
	check_small();
	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++)
		check_true(sizes[i].name,
			   read_is_right(low + GUARD, sizes[i].lba, sizes[i].blocks));
	check_each("every alignment of a buffer", wrong_alignment(low));
	check_each("every alignment of a buffer above 4 GiB", wrong_alignment(high));
	check_true("4 MiB above 4 GiB", read_is_right(high + GUARD, 1234, 8192));
	check_high_packet();
	check_long_cdbs();
}
