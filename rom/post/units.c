/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Scans the bus. The block buffer is temporary during the scan, and becomes
 * permanent when the first drive that needs it is found. It is freed if the boot order
 * keeps no such drive.
 */
#include "units.h"

#include "banner.h"
#include "rom_image.h"
#include "memory.h"
#include "settings.h"
#include "state.h"
#include "targets.h"
#include "waiting.h"
#include "pc/console.h"
#include "pc/post/pmm.h"
#include "rom/workspace.h"

#define LUNS 8

/* Properties of a unit */
struct found {
	struct scsi_inquiry inquiry;
	struct disk_capacity capacity;
	bool ready; /* has answered so to TEST UNIT READY */
	char IN_ROM *trouble; /* why a drive that is in use has an unusable disc */
};

enum unit {
	UNIT_FINE,    /* added to the table, or not a drive */
	UNIT_TROUBLE, /* the same, and a line about it was printed */
	UNIT_ABSENT,
	UNIT_UNUSABLE, /* a line about it was printed */
	UNIT_HUNG, /* the same, and it did not complete an INQUIRY */
};

static struct int13_state *state(void)
{
	return &workspace.int13;
}

static void take_buffer(bool permanent)
{
	u16 segment = memory_take(BLOCK_BUFFER_KIB, permanent);

	state()->buffer_segment = segment;
	state()->buffer_address = linear_of(segment, 0);
	state()->buffer_bytes = segment ? BLOCK_BUFFER_BYTES : 0;
}

static void give_buffer_back(void)
{
	if (state()->buffer_segment)
		memory_give_back(state()->buffer_segment, BLOCK_BUFFER_KIB);
	state()->buffer_segment = 0;
	state()->buffer_bytes = 0;
}

/* Make the block buffer permanent. False if there is no memory for that. */
static bool keep_buffer(void)
{
	if (post.buffer_kept)
		return true;
	give_buffer_back();
	take_buffer(true);
	post.buffer_kept = state()->buffer_segment != 0;
	if (!post.buffer_kept)
		take_buffer(false);
	return post.buffer_kept;
}

/* Read the place of the boot record of a session, to find out whether it has data. */
static enum scsi_result read_session(const struct disk *cd, u32 first)
{
	u8 block_shift = drives_block_shift(cd);
	u32 split = CD_BLOCK_SHIFT - block_shift;
	u64 lba = (u64)first + 17;
	struct disk_job job = {
		.blocks = {.lba = lba << split, .count = 1u << split},
		.action = DISK_READ,
		.block_shift = block_shift,
		.request.data = {state()->buffer_address, 1u << CD_BLOCK_SHIFT},
	};

	if (cd->sectors <= lba || !state()->buffer_segment)
		return SCSI_OK;
	return disk_do(&state()->bus, &cd->device, &job);
}

/* Find out whether the disc has data: in its first session or, if that is music, in
 * its last.
 */
static enum scsi_result read_descriptor(const struct disk *cd)
{
	enum scsi_result result = read_session(cd, 0);
	u32 first;

	if (result == SCSI_OK ||
	    disk_last_session(&state()->bus, &cd->device, &first) != SCSI_OK ||
	    !first)
		return result;
	return read_session(cd, first >> -cd->split) == SCSI_OK ? SCSI_OK : result;
}

/* Is the drive usable although its medium is not? A CD drive always is, another
 * drive if it has no medium.
 */
static bool usable_without_medium(const struct disk *disk,
				  enum scsi_result result)
{
	return disk->flags & DISK_CD ||
	       (disk->flags & DISK_REMOVABLE && result == SCSI_NO_MEDIUM);
}

/* Does the drive need the block buffer after POST? Without PMM, memory for a CD is
 * taken when it is booted (boot/cd/cdboot.c).
 */
static bool needs_buffer(const struct disk *disk)
{
	if (disk->flags & DISK_CD)
		return pmm_present();
	return disk->flags & DISK_REMOVABLE || disk->split ||
	       disk->sector_shift != SECTOR_SHIFT;
}

void units_free_buffer(void)
{
	for (u32 i = 0; i < state()->disks; i++)
		if (needs_buffer(&drive_table[i]))
			return;
	give_buffer_back();
}

/* Returns null if the unit is a drive that can be used, else the reason why
 * not.
 */
static char IN_ROM *examine(struct disk *disk, struct found *found)
{
	enum scsi_result result = SCSI_OK;

	if (!found->ready)
		result = disk_simple(&state()->bus, &disk->device,
				     CDB_TEST_UNIT_READY |
					     CDB_PATIENCE(waiting_patience_ms()));
	state()->bus.waited = 0;
	if (result == SCSI_OK)
		result = drives_measure(state(), disk, &found->capacity);
	if (result == SCSI_OK && disk->flags & DISK_CD)
		result = read_descriptor(disk);
	if (result != SCSI_OK && usable_without_medium(disk, result)) {
		disk->flags |= DISK_UNKNOWN | DISK_UNREPORTED;
		drives_set_largest(disk);
		if (disk->flags & DISK_CD)
			found->trouble = banner_words(result);
		result = SCSI_OK;
	}
	bool no_memory =
		result == SCSI_OK
			? needs_buffer(disk) && !keep_buffer()
			: result == SCSI_BAD_BLOCKS && !state()->buffer_segment;
	if (no_memory)
		return ROM_STRING("no memory for its block buffer");
	return result == SCSI_OK ? NULL : banner_words(result);
}

/* Are both answers from the same unit? A device that ignores LUNs answers for
 * all of them.
 */
static bool same_unit(const struct found *a, const struct found *b)
{
	for (u32 i = 0; i < sizeof(a->inquiry); i++)
		if (((const u8 *)a)[i] != ((const u8 *)b)[i])
			return false;
	return a->capacity.blocks == b->capacity.blocks &&
	       a->capacity.block_bytes == b->capacity.block_bytes;
}

static void add_unit(struct disk *disk, const struct found *found)
{
	struct text product = {0};

	banner_controller(&product, state()->pci_address);
	banner_unit(&product, disk->device, &found->inquiry);
	rom_image_set_entry(state()->disks, &product);
	if (disk->flags & DISK_CD)
		post.cds++;
	else if (disk->flags & DISK_REMOVABLE)
		post.removable = true;
	state()->disks++;
}

static u8 kind_of(const struct scsi_inquiry *inquiry)
{
	if (targets_is_cd(inquiry))
		return DISK_REMOVABLE | DISK_CD;
	return inquiry->removable & INQUIRY_REMOVABLE ? DISK_REMOVABLE : 0;
}

static void print_line(struct scsi_device device, const struct found *found,
		       char IN_ROM *words)
{
	if (workspace.quiet)
		return;
	banner_failure(device, &found->inquiry);
	banner_reason(words, found->capacity.block_bytes);
}

static enum unit fine(struct scsi_device device, const struct found *found,
		      char IN_ROM *words)
{
	if (!post.switches[SWITCH_VERBOSE])
		return UNIT_FINE;
	print_line(device, found, words);
	return UNIT_TROUBLE;
}

/* Examine one unit, and add it to the table if it is a drive. Prints a line
 * if it exists but cannot be used, or if the switch `verbose` is set. `first`
 * is LUN 0 if that may be the same unit, else null.
 */
static enum unit scan_unit(struct scsi_device device, struct found *found,
			   const struct found *first)
{
	struct disk *disk = &drive_table[state()->disks];
	char IN_ROM *failure;

	*found = (struct found){0};
	enum scsi_result result =
		targets_inquiry(device, &found->inquiry, &found->ready);
	if (result == SCSI_NO_TARGET)
		return UNIT_ABSENT;
	if (result == SCSI_OK && !targets_is_drive(&found->inquiry)) {
		waiting_got_further();
		return first && same_unit(first, found)
			       ? UNIT_FINE
			       : fine(device, found,
				      found->inquiry.type == INQUIRY_TYPE_DISK
					      ? ROM_STRING("removable, left out")
					      : ROM_STRING("neither disk nor CD"));
	}
	bool full = state()->disks == MOST_DISKS;
	if (result != SCSI_OK) {
		failure = banner_words(result);
	} else if (full) {
		failure = ROM_STRING("too many drives");
	} else {
		*disk = (struct disk){.device = device,
				      .flags = kind_of(&found->inquiry)};
		failure = examine(disk, found);
		if (!failure && first && same_unit(first, found))
			failure = ROM_STRING("same unit as LUN 0");
	}
	if (!failure) {
		add_unit(disk, found);
		if (!found->trouble) {
			waiting_got_further();
			return fine(device, found, banner_words(SCSI_OK));
		}
		print_line(device, found, found->trouble);
		return UNIT_TROUBLE;
	}
	print_line(device, found, failure);
	return targets_hangs(result) ? UNIT_HUNG : UNIT_UNUSABLE;
}

/* Examine the LUNs of a target above LUN 0: those that REPORT LUNS lists, or
 * else one after the other until one is missing. SCSI-1 and SCSI-2 targets
 * are not sent REPORT LUNS, as a command that they do not implement may hang
 * them. Returns false if a line was printed.
 */
static bool scan_further_luns(struct scsi_device device,
			     const struct found *first)
{
	struct found found;
	u8 luns;
	bool old = (first->inquiry.version & INQUIRY_VERSION_MASK) <=
		   INQUIRY_VERSION_SCSI2;
	bool listed = !old && scan_luns(&state()->bus, &device, &luns) ==
				      SCSI_OK;
	enum unit unit = UNIT_FINE;
	bool quiet = true;

	for (u8 lun = 1;
	     lun < LUNS && (unit == UNIT_FINE || unit == UNIT_TROUBLE) &&
	     !waiting_is_over();
	     lun++) {
		if (listed && !(luns >> lun & 1))
			continue;
		device.lun = lun;
		device.cdb_lun = (u8)(old ? lun << 5 : 0);
		unit = scan_unit(device, &found, listed ? NULL : first);
		if (unit != UNIT_FINE && unit != UNIT_ABSENT)
			quiet = false;
		if (listed)
			unit = UNIT_FINE; /* the list also has the next one */
	}
	return quiet;
}

/* Scan one target. False if a line was printed. *hung counts targets in a row that
 * do not even complete an INQUIRY.
 */
static bool scan_target(u8 id, u32 *hung)
{
	struct scsi_device device = {.target = id};
	struct found first;
	enum unit unit = scan_unit(device, &first, NULL);
	bool quiet = unit == UNIT_FINE || unit == UNIT_ABSENT;

	*hung = unit == UNIT_HUNG ? *hung + 1 : 0;
	/* A target without LUN 0 still answers INQUIRY; an absent target
	 * leaves the answer zero.
	 */
	if (unit == UNIT_HUNG ||
	    (unit == UNIT_ABSENT && !first.inquiry.type) ||
	    !(settings.card.targets[id].flags & TARGET_LUNS))
		return quiet;
	return scan_further_luns(device, &first) && quiet;
}

/* If two targets in a row hang, the bus does, and trying further IDs would only take
 * time.
 */
bool units_scan(void)
{
	u32 last_id = state()->bus.hba->last_id;
	bool quiet = true;
	u32 hung = 0, n;

	take_buffer(false);
	waiting_begin();
	targets_identify();
	for (n = 0; n <= last_id && hung < 2 && !waiting_is_over(); n++) {
		u8 id = targets_id(n);

		targets_take_key();
		if (!targets_is_left_out(id) && !scan_target(id, &hung))
			quiet = false;
	}
	targets_take_key();
	waiting_end();
	if (hung == 2) {
		if (!workspace.quiet) {
			console_newline();
			console_rom(ROM_STRING(
				"  SCSI bus hangs, scan ended: check cable and termination"));
		}
	} else if (n <= last_id) {
		targets_name_skipped(n);
		quiet = false;
	}
	state()->bus.suspect = false; /* the last ID may just be unused */
	return quiet && !post.announced;
}
