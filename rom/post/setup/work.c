/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * [SCSI-2 "VERIFY command", "FORMAT UNIT command"]
 */
#include "work.h"

#include "pc/clock.h"
#include "pc/console.h"
#include "rom/post/banner.h"
#include "rom/post/targets.h"
#include "scsi/service.h"
#include "show.h"

/* A command verifies 1 to 2 MiB: the time until a key is noticed. Without VERIFY, a command
 * reads one block, and may take a turn of the disk.
 */
#define PIECE_BYTES (2u << 20)
#define LEAST_BYTES 511 /* of a block: a VERIFY has no more than FFFFh blocks */
#define PIECE_READ 64
#define PROGRESS_SHIFT 12 /* so that 100 times as many blocks are no more than 32 bits */
#define MOST_LISTED 8
#define NO_TYPE 0xff /* in place of INQUIRY's */
#define SECOND_US 1000000

static struct scsi_bus *bus(void)
{
	return &workspace.int13.bus;
}

/* Begin a command to the device, LUN 0. */
static struct scsi_device device(void)
{
	scsi_begin_call(bus());
	return (struct scsi_device){.target = setup.id};
}

/* Take the keys that were pressed. Returns whether there was one. */
static bool take_keys(void)
{
	bool any = false;

	while (screen_key_pressed()) {
		(void)screen_key();
		any = true;
	}
	return any;
}

/* Show the result of a long operation, and wait for a key: one that is pressed now. */
static void end_with(enum scsi_result result)
{
	(void)take_keys();
	show_note(result == SCSI_OK ? ROM_STRING("Done") : banner_words(result));
	(void)screen_key();
}

/* Is it a disk or a CD drive? A tape rejects READ CAPACITY, a scanner has another command. */
static bool has_blocks(void)
{
	return setup.inquiry.type == INQUIRY_TYPE_DISK ||
	       targets_is_cd(&setup.inquiry);
}

void work_ask_device(void)
{
	struct scsi_device at = device();
	bool known = false;

	setup.result = SCSI_NO_TARGET;
	setup.inquiry.type = NO_TYPE;
	bus()->sense[0] = 0;
	if (adapter_has_device(setup.adapter, at.target)) {
		targets_data(at.target, &setup.inquiry);
		setup.result = disk_simple(bus(), &at, CDB_TEST_UNIT_READY);
		if (setup.result == SCSI_OK && has_blocks()) {
			setup.result = disk_capacity(bus(), &at, &setup.capacity);
			known = setup.result == SCSI_OK;
		}
	}
	if (!known)
		setup.capacity = (struct disk_capacity){0};
}

/* ---- Verify -------------------------------------------------------------------- */

static void show_progress(u32 percent, u32 bad)
{
	setup.row = SHOW_WORK;
	screen_print(ROM_STRING("Verified # %"), percent);
	screen_print(ROM_STRING("; bad (hex): #"), bad);
	screen_line(SCREEN_BRIGHT);
	text_field(&setup.line, (u8 *)setup.list.bytes, setup.list.length);
	screen_line(SCREEN_BRIGHT);
}

static void list_bad(u64 lba)
{
	if (lba >> 32)
		text_hex(&setup.list, (u32)(lba >> 32), 4);
	text_hex(&setup.list, (u32)lba, 8);
	text_char(&setup.list, ' ');
}

static enum scsi_result verify_part(void)
{
	struct scsi_device at = device();

	setup.job.action = DISK_VERIFY; /* transfers nothing: no block_shift */
	return disk_do(bus(), &at, &setup.job);
}

/* If the device reports which block is bad, the next command begins there. It is small, and
 * the ones after it grow.
 */
void work_verify(void)
{
	struct scsi_blocks *part = &setup.job.blocks;
	u32 bad = 0, most = PIECE_BYTES / (setup.capacity.block_bytes | LEAST_BYTES);

	if (!setup.capacity.blocks) {
		setup.note = ROM_STRING("No blocks");
		return;
	}
	setup.list.length = 0;
	part->lba = 0;
	part->count = PIECE_READ;
	while (part->lba < setup.capacity.blocks) {
		show_progress((u32)(part->lba >> PROGRESS_SHIFT) * 100 /
				      ((u32)(setup.capacity.blocks >>
					     PROGRESS_SHIFT) +
				       1),
			      bad);
		if (take_keys())
			return;
		if (part->lba + part->count > setup.capacity.blocks)
			part->count = (u32)setup.capacity.blocks - (u32)part->lba;
		enum scsi_result result = verify_part();
		u32 good = part->count;
		if (setup.job.action != DISK_VERIFY)
			most = PIECE_READ;
		if (result == SCSI_OK) {
			if (part->count < most)
				part->count *= 2;
		} else if (result != SCSI_MEDIUM_ERROR &&
			   result != SCSI_HARDWARE_ERROR) {
			end_with(result);
			return;
		} else if (good > 1) {
			good = setup.job.done;
			part->count = 1;
		} else {
			setup.result = result;
			if (++bad <= MOST_LISTED)
				list_bad(part->lba);
		}
		part->lba += good;
	}
	show_progress(100, bad);
	end_with(SCSI_OK);
}

/* ---- Format -------------------------------------------------------------------- */

/* Let the user type the name of the product. After a wrong key, nothing is formatted. */
static bool is_confirmed(void)
{
	struct text *name = &setup.list;

	name->length = 0;
	text_field(name, setup.inquiry.product, sizeof(setup.inquiry.product));
	setup.row = SHOW_WORK;
	screen_append(ROM_STRING("Type the name and Enter: "));
	screen_line(SCREEN_BRIGHT);
	for (u32 i = 0; i < name->length; i++) {
		if (screen_key() != (u8)name->bytes[i])
			return false;
		console_char(name->bytes[i]);
	}
	return screen_key() == KEY_ENTER && name->length;
}

static void show_format(u16 progress)
{
	setup.row = SHOW_WORK;
	screen_print(ROM_STRING("Formatting, # %. Do not switch off"),
		     progress * 100u >> 16);
	screen_line(SCREEN_BRIGHT);
}

void work_format(void)
{
	struct scsi_device at = device();
	u16 progress = 0;

	if (!is_confirmed())
		return;
	show_format(0);
	enum scsi_result result = service_format(bus(), &at, &progress);
	while (result == SCSI_OK && progress != SERVICE_DONE) {
		show_format(progress);
		clock_delay_us(SECOND_US);
		at = device();
		result = service_format_progress(bus(), &at, &progress);
	}
	end_with(result);
}
