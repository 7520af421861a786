/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Data to the target, read back with the blocks before and after it. The last 8 MiB of
 * ID_OTHER change.
 */
#include "checks.h"

#define MOST (4 * MIB)
#define FIRST (DISK_BLOCKS - 16384)

static u8 *low, *high, *back;

static u8 noise(u32 seed, u32 n)
{
	return (u8)((seed + n) * 0x9e3779b1u >> 24);
}

/* Write these blocks from this address and read them back with their neighbours,
 * which keep the disk's data.
 */
static bool write_is_right(u8 *at, u32 lba, u32 blocks)
{
	static u32 seed;
	u32 bytes = blocks * BLOCK, n = 0;
	struct command c;

	seed += 1000003;
	for (n = 0; n < bytes; n++)
		at[n] = noise(seed, n);
	command_write(&c, lba, blocks, at, bytes);
	command_send(&c, ID_OTHER);
	if (c.status || c.packet.host_adapter_status || c.packet.target_status ||
	    command_moved(&c) != bytes)
		return false;
	command_read(&c, lba - 1, blocks + 2, back, bytes + 2 * BLOCK);
	command_send(&c, ID_OTHER);
	for (n = 0; n < bytes; n++)
		if (back[BLOCK + n] != noise(seed, n) || at[n] != noise(seed, n))
			return false;
	return disk_equal(back, lba - 1, BLOCK) == BLOCK &&
	       disk_equal(back + BLOCK + bytes, lba + blocks, BLOCK) == BLOCK;
}

static const struct size {
	const char *name;
	u32 lba, blocks;
} sizes[] = {
	{.name = "1 block", FIRST + 1, 1},
	{.name = "3 blocks", FIRST + 4, 3},
	{.name = "64 KiB less a block", FIRST + 10, 127},
	{.name = "64 KiB and a block", FIRST + 150, 129},
	{.name = "1 MiB", FIRST + 300, 2048},
	{.name = "4 MiB", FIRST + 3000, 8192},
};

static u32 wrong_alignment(u8 *at, u32 lba)
{
	for (u32 i = 0; i < 8; i++)
		if (!write_is_right(at + i, lba + 4 * i, 2))
			return i + 1;
	return 0;
}

/* The target requests less than the buffer has, or more. */
static void check_other_lengths(void)
{
	struct command c;

	command_write(&c, FIRST + 12000, 1, low, 2 * BLOCK);
	command_send(&c, ID_OTHER);
	check_ending("the target takes a part of the buffer", ENDS_WELL(BLOCK), &c);
	command_write(&c, FIRST + 12010, 2, low, BLOCK);
	command_send(&c, ID_OTHER);
	check_ending("the target requests more than the buffer has",
		     (struct ending){EFI_DEVICE_ERROR,
				     EFI_EXT_SCSI_STATUS_HOST_ADAPTER_PHASE_ERROR, TARGET_GOOD,
				     0},
		     &c);
	command_settle(ID_OTHER);
	command_read(&c, FIRST + 12011, 1, low, BLOCK);
	command_send(&c, ID_OTHER);
	check_equal("no data is made up for it", BLOCK, disk_equal(low, FIRST + 12011, BLOCK));
	check_true("the next command after it", disk_works(ID_OTHER));
	command_write(&c, FIRST + 12020, 0, NULL, 0);
	command_send(&c, ID_OTHER);
	check_ending("WRITE(10) of 0 blocks", ENDS_WELL(0), &c);
}

void check_writes(void)
{
	low = memory_low(MOST + 4096);
	high = memory_high(MOST + 4096);
	back = memory_low(MOST + 2 * BLOCK);
	command_settle(ID_OTHER);
	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++)
		check_true(sizes[i].name, write_is_right(low, sizes[i].lba, sizes[i].blocks));
	check_each("every alignment of a buffer", wrong_alignment(low, FIRST + 11300));
	check_each("every alignment of a buffer above 4 GiB",
		   wrong_alignment(high, FIRST + 11400));
	check_true("1 MiB above 4 GiB", write_is_right(high, FIRST + 13000, 2048));
	check_other_lengths();
}
