/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * CHECK CONDITION is EFI_SUCCESS with the target's status and its sense data
 * [UEFI 2.10 "PassThru()", SCSI-2 "Sense data format", "REQUEST SENSE command"].
 */
#include "checks.h"

#define NO_SENSE 0
#define NOT_READY 2
#define ILLEGAL_REQUEST 5
#define LBA_OUT_OF_RANGE 0x21
#define NO_MEDIUM 0x3a
#define SENSE_BYTES 18u /* of QEMU's fixed format */

static const struct ending checked = {EFI_SUCCESS, HOST_OK, TARGET_CHECK_CONDITION, 0};

static u8 data[BLOCK];

static void read_past_the_end(struct command *c)
{
	memset(data, FILL, sizeof(data));
	command_read(c, DISK_BLOCKS, 1, data, sizeof(data));
}

/* The key and additional code that REQUEST SENSE returns */
static u32 requested_sense(u8 id)
{
	struct command c;

	memset(data, 0, sizeof(data));
	command_sense(&c, data, 18);
	command_send(&c, id);
	return c.status || c.packet.target_status ? ~0u : (data[2] & 0x0fu) << 8 | data[12];
}

static void check_fields(void)
{
	struct command c;

	read_past_the_end(&c);
	command_send(&c, ID_DISK);
	check_ending("READ(10) past the end", checked, &c);
	check_equal("its sense data have the fixed format", 0x70, c.sense[0] & 0x7f);
	check_equal("its sense key", ILLEGAL_REQUEST, c.sense[2] & 0x0f);
	check_equal("its additional sense code", LBA_OUT_OF_RANGE, c.sense[12]);
	check_equal("its SenseDataLength", SENSE_BYTES, c.packet.sense_data_length);
	check_equal("its buffer is unchanged", BLOCK, memory_filled(data, BLOCK));
	check_equal("its sense data are no longer in the target", NO_SENSE << 8,
		    requested_sense(ID_DISK));
	check_true("the next command is right", disk_works(ID_DISK));
}

/* Sense buffers that are shorter or longer than the sense data */
static const struct row {
	const char *name;
	u8 length, expected;
} rows[] = {
	{.name = "1 byte of sense data", 1, 1},
	{.name = "3 bytes of sense data", 3, 3},
	{.name = "17 bytes of sense data", 17, 17},
	{.name = "18 bytes of sense data", 18, SENSE_BYTES},
	{.name = "252 bytes for sense data", 252, SENSE_BYTES},
	{.name = "255 bytes for sense data", 255, SENSE_BYTES},
};

static void check_buffers(void)
{
	struct command c;
	u32 over = 0, kept = 0, wrong = 0;

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		u32 expected = rows[i].expected;

		read_past_the_end(&c);
		c.packet.sense_data_length = rows[i].length;
		command_send(&c, ID_DISK);
		check_equal(rows[i].name, expected, c.packet.sense_data_length);
		if (c.status || c.packet.target_status != TARGET_CHECK_CONDITION ||
		    c.sense[0] != 0x70)
			wrong = i + 1;
		if (memory_filled(c.sense + expected, 256 - expected) != 256 - expected)
			over = i + 1;
		if (requested_sense(ID_DISK) != NO_SENSE)
			kept = i + 1;
	}
	check_each("each of them has the status and the first byte", wrong);
	check_each("no byte after the sense data changes", over);
	check_each("no target keeps sense data", kept);
}

static void check_without_buffer(void)
{
	struct command c;

	read_past_the_end(&c);
	c.packet.sense_data = NULL;
	c.packet.sense_data_length = 0;
	command_send(&c, ID_DISK);
	check_ending("without a sense buffer", checked, &c);
	check_equal("SenseDataLength without a sense buffer", 0, c.packet.sense_data_length);
	requested_sense(ID_DISK);
	check_true("the next command after it", disk_works(ID_DISK));
}

static void check_other_commands(void)
{
	struct command c;

	command_ready(&c);
	command_send(&c, ID_EMPTY);
	check_ending("TEST UNIT READY without a disc", checked, &c);
	check_equal("sense key without a disc", NOT_READY, c.sense[2] & 0x0f);
	check_equal("additional sense code without a disc", NO_MEDIUM, c.sense[12]);

	command_set(&c, (u8[6]){0x1f}, 6, EFI_EXT_SCSI_DATA_DIRECTION_WRITE, data, BLOCK);
	command_send(&c, ID_DISK);
	check_ending("unknown command with data out", checked, &c);

	command_ready(&c);
	command_send(&c, ID_DISK);
	check_ending("a good command", ENDS_WELL(0), &c);
	check_equal("SenseDataLength of a good command", 0, c.packet.sense_data_length);
	check_equal("the sense buffer of a good command is unchanged", sizeof(c.sense),
		    memory_filled(c.sense, sizeof(c.sense)));
}

/* Sense data at any address, also above 4 GiB */
static void check_places(void)
{
	u8 *high = memory_high(4096);
	u32 wrong = 0;

	for (u32 i = 0; i < 8; i++) {
		struct command c;

		memset(high, FILL, 64);
		read_past_the_end(&c);
		c.packet.sense_data = high + 8 + i;
		command_send(&c, ID_DISK);
		if (c.packet.sense_data_length != 18 || high[8 + i] != 0x70 ||
		    high[20 + i] != LBA_OUT_OF_RANGE || memory_filled(high, 8 + i) != 8 + i ||
		    memory_filled(high + 26 + i, 20) != 20)
			wrong = i + 1;
	}
	check_each("every alignment of a sense buffer above 4 GiB", wrong);
}

void check_sense(void)
{
	command_settle(ID_DISK);
	command_settle(ID_EMPTY);
	check_fields();
	check_buffers();
	check_without_buffer();
	check_other_commands();
	check_places();
}
