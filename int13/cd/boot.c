/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Loads a boot image from a CD and starts its emulation.
 */
#include "boot.h"

#include "buffer.h"
#include "int13/extra/emulated.h"
#include "int13/transfer.h"
#include "pc/bda.h"
#include "pc/phys.h"

/* May the emulated drive have that number? Drive numbers must not leave a
 * gap.
 */
static bool number_fits(const struct int13_state *state,
			const struct cd_boot *boot)
{
	bool hard_disk = (boot->image.media & MEDIA_TYPE) == MEDIA_HARD_DISK;
	u8 drives = emulation_count_drives(hard_disk);

	if (state->emulated != NOT_EMULATED &&
	    (state->emulated >= FIRST_HARD_DISK) == hard_disk)
		drives--;
	return (u8)(boot->number - (hard_disk ? FIRST_HARD_DISK : 0)) <= drives;
}

ROM_CONST u8 floppy_sectors_per_track[] = {0, 15, 18, 36};

#define PART_ACTIVE_RESERVED 0x7f /* byte 0 of an entry is 00h or 80h */

/* Set geometry from the first block of the boot image, at FS:0. No
 * signature 55AAh is needed: boot sectors of early systems lack it. Without it, the
 * first entry of a partition table must be a possible one.
 */
static enum cd_result examine(struct boot_image *image)
{
	u8 media = image->media & MEDIA_TYPE;

	if (media == MEDIA_NO_EMULATION)
		return CD_OK;
	if (media != MEDIA_HARD_DISK) {
		image->geometry = (struct geometry){
			80, 2, floppy_sectors_per_track[media]};
		return CD_OK;
	}
	struct chs end = geometry_unpack(MBR_TABLE_AT + PART_END_CHS);
	if (!FAR8(MBR_TABLE_AT + PART_TYPE) || !end.sector ||
	    (FAR16(MBR_SIGNATURE_AT) != MBR_SIGNATURE &&
	     FAR8(MBR_TABLE_AT) & PART_ACTIVE_RESERVED))
		return CD_NO_PARTITION;
	/* UEFI gives a protective partition the end FFFFFFh. The BIOS cannot
	 * count to 256 heads; with one less, more cylinders hold the image.
	 */
	if (end.head == MOST_HEADS)
		end = (struct chs){MOST_CYLINDERS - 1, MOST_HEADS - 1,
				   end.sector};
	image->geometry = (struct geometry){(u16)(end.cylinder + 1),
					    (u8)(end.head + 1), end.sector};
	return CD_OK;
}

enum cd_result cd_boot_check(const struct int13_call *call,
			      struct cd_boot *boot)
{
	struct boot_image *image = &boot->image;
	u8 media = image->media & MEDIA_TYPE;
	enum int13_status status = int13_ensure_size(call);

	if (status != STATUS_OK)
		return (enum cd_result)status;
	if (media > MEDIA_HARD_DISK)
		return CD_BAD_TYPE;
	if (image->lba >= call->disk->sectors)
		return CD_BEYOND_DISC;
	if (media != MEDIA_NO_EMULATION && !number_fits(call->state, boot))
		return (enum cd_result)STATUS_BAD_COMMAND;
	call->state->buffer_block = NO_BLOCK; /* may be of another CD */
	status = cd_buffer_fill(call, image->lba);
	if (status != STATUS_OK)
		return (enum cd_result)status;
	image->crc = cd_buffer_crc((u32)call->disk->sectors);
	image->geometry = (struct geometry){0};
	image->disk = (u8)(call->disk - drive_table);
	image->exists = true;
	image->checked = true;
	return examine(image);
}

#define LOWEST_LOAD 0x600 /* after the BIOS's data */
#define KIB_SHIFT 10

/* Bytes to keep around the caller's SP: below for what it will push, above for
 * what is on its stack already.
 */
#define STACK_BELOW 512
#define STACK_ABOVE 256

/* Is that memory free to load into: conventional, and not the stack? A stack below
 * BOOT_PLACE ends there. Seen: AMI calls INT 18h with SS:SP = 0000:7C00.
 */
static bool room_for(u32 to, u32 bytes, u32 stack)
{
	u32 end = to + bytes;
	u32 stack_end = stack + STACK_ABOVE;

	bda_open();
	if (to < LOWEST_LOAD ||
	    end > (u32)FAR16(BDA_MEMORY_KIB) << KIB_SHIFT)
		return false;
	if (stack < BOOT_PLACE && stack_end > BOOT_PLACE)
		stack_end = BOOT_PLACE;
	return !stack || to >= stack_end || end + STACK_BELOW <= stack;
}

/* Load the boot image to linear address `to`: whole blocks directly, the sectors
 * of a partial last block through the buffer. Not inline: our stack has no room
 * for its job while cd_boot_check() measures a disc.
 */
static NOT_INLINE enum cd_result load(const struct int13_call *call,
			      const struct cd_boot *boot, u32 to)
{
	const struct boot_image *image = &boot->image;
	u32 rest = image->count & ((1u << CD_SECTOR_SPLIT) - 1);
	struct int13_job job;

	if (!image->count)
		return CD_NO_COUNT;
	if (!room_for(to, (u32)image->count << SECTOR_SHIFT, boot->stack))
		return CD_NO_ROOM;
	job.lba = image->lba;
	job.count = image->count >> CD_SECTOR_SPLIT;
	job.action = DISK_READ;
	int13_job_set_buffer(&job, to);
	if (job.count + (rest != 0) > call->disk->sectors - image->lba)
		return CD_BEYOND_DISC;
	enum int13_status status = int13_transfer(call, &job);
	if (status == STATUS_OK && rest) {
		status = cd_buffer_fill_by(call, image->lba + job.count,
					   &job.piece);
		if (status == STATUS_OK)
			far_copy(to + (job.count << CD_BLOCK_SHIFT),
				 linear_of(call->state->buffer_segment, 0),
				 rest << SECTOR_SHIFT);
	}
	return (enum cd_result)status;
}

#define USUAL_SEGMENT 0x7c0

enum cd_result cd_boot_image(const struct int13_call *call,
			     struct cd_boot *boot)
{
	struct int13_state *state = call->state;
	u32 to = (boot->image.load_segment ? boot->image.load_segment
					   : USUAL_SEGMENT)
		 << 4;
	enum cd_result result = cd_boot_check(call, boot);

	if (result == CD_OK)
		result = load(call, boot, to);
	if (result != CD_OK)
		return result;
	emulation_end(state);
	state->boot_image = boot->image;
	if (boot->image.media & MEDIA_TYPE)
		emulation_begin(state, boot->number);
	else
		boot->number = call->disk->number;
	/* Boot sectors expect 0000:7C00, not 07C0:0000. */
	boot->entry = (to & 0xf0000) << 12 | (to & 0xffff);
	return CD_OK;
}
