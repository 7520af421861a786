/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The scan. While it runs the block buffer is a temporary one; it becomes a
 * permanent one when the first disk is found that needs it.
 */
#include "units.h"

#include "banner.h"
#include "host.h"
#include "image_edit.h"
#include "memory.h"
#include "pc/console.h"
#include "workspace.h"

#define BLOCK_BUFFER_KIB (BLOCK_BUFFER_BYTES / 1024)
#define SPIN_UP_PATIENCE CDB_PATIENCE(30000)
#define LUNS 8

/* What is known of a unit. */
struct found {
	struct scsi_inquiry inquiry;
	struct disk_capacity capacity;
};

enum unit {
	UNIT_FINE, /* a disk of ours now, or none of our business */
	UNIT_ABSENT,
	UNIT_UNUSABLE,
	UNIT_HUNG, /* did not even end an INQUIRY */
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
}

static void give_buffer_back(void)
{
	if (state()->buffer_segment)
		memory_give_back(state()->buffer_segment, BLOCK_BUFFER_KIB);
	state()->buffer_segment = 0;
}

/* Keep the buffer beyond POST. */
static bool keep_buffer(void)
{
	if (workspace.post.buffer_kept)
		return true;
	give_buffer_back();
	take_buffer(true);
	workspace.post.buffer_kept = state()->buffer_segment != 0;
	if (!workspace.post.buffer_kept)
		take_buffer(false);
	return workspace.post.buffer_kept;
}

/* Null if the unit is a disk that we can serve, else why not. */
static const char IN_ROM *examine(struct disk *disk, struct found *found)
{
	enum scsi_result result =
		disk_simple(&state()->bus, &disk->device,
			    CDB_TEST_UNIT_READY | SPIN_UP_PATIENCE);
	bool removable = found->inquiry.removable & INQUIRY_REMOVABLE;

	if (removable)
		disk->flags = DISK_REMOVABLE;
	if (result == SCSI_OK)
		result = drives_measure(state(), disk, &found->capacity);
	if (result == SCSI_NO_MEDIUM && removable) {
		disk->flags |= DISK_UNKNOWN | DISK_UNTOLD;
		drives_set_largest(disk);
		result = SCSI_OK;
	}
	bool no_memory = result == SCSI_OK
				 ? (removable || disk->split) && !keep_buffer()
				 : result == SCSI_BAD_BLOCKS &&
					   !state()->buffer_segment;
	if (no_memory)
		return ROM_STRING("no memory for its blocks");
	return result == SCSI_OK ? NULL : banner_words(result);
}

/* A device that takes no notice of LUNs answers for all of them. */
static bool same_unit(const struct found *a, const struct found *b)
{
	for (u32 i = 0; i < sizeof(a->inquiry); i++)
		if (((const u8 *)a)[i] != ((const u8 *)b)[i])
			return false;
	return a->capacity.blocks == b->capacity.blocks &&
	       a->capacity.block_bytes == b->capacity.block_bytes;
}

static void add_disk(struct disk *disk, const struct found *found)
{
	struct text product = {0};
	struct geometry geometry;

	if (workspace.post.fwcfg &&
	    host_geometry(state()->pci_address, disk->device, &geometry) &&
	    geometry_fits(&geometry, sectors_32(disk)))
		disk->geometry = geometry;
	banner_controller(&product, state()->pci_address);
	banner_unit(&product, disk->device, &found->inquiry);
	image_set_entry(state()->disks++, &product);
}

/* One unit. Prints a line if it is there but cannot be used. `first` is LUN 0
 * where that may be the same unit, else null.
 */
static enum unit scan_unit(struct scsi_device device, struct found *found,
			   const struct found *first)
{
	struct disk *disk = &state()->disk[state()->disks];
	const char IN_ROM *failure;

	*found = (struct found){0};
	enum scsi_result result =
		scan_inquiry(&state()->bus, &device, &found->inquiry);
	if (result == SCSI_NO_TARGET)
		return UNIT_ABSENT;
	if (result == SCSI_OK && found->inquiry.type != INQUIRY_TYPE_DISK)
		return UNIT_FINE;
	if (result != SCSI_OK) {
		failure = banner_words(result);
	} else if (state()->disks == MOST_DISKS) {
		failure = ROM_STRING("one disk too many");
	} else {
		*disk = (struct disk){.device = device};
		failure = examine(disk, found);
		if (!failure && first && same_unit(first, found))
			failure = ROM_STRING("is the same unit as LUN 0");
	}
	if (!failure) {
		add_disk(disk, found);
		return UNIT_FINE;
	}
	banner_failure(device, &found->inquiry);
	banner_reason(failure, found->capacity.block_bytes);
	return result == SCSI_TIMEOUT || result == SCSI_BUS_ERROR
		       ? UNIT_HUNG
		       : UNIT_UNUSABLE;
}

/* The LUNs of a target behind LUN 0: by its list, or one after the other until
 * one is missing. Old targets may not survive a command they never heard of.
 * Returns false if one of them cannot be used.
 */
static bool scan_luns_behind(struct scsi_device device,
			     const struct found *first)
{
	struct found found;
	u8 luns;
	bool old = (first->inquiry.version & INQUIRY_VERSION_MASK) <=
		   INQUIRY_VERSION_SCSI2;
	bool listed = !old && scan_luns(&state()->bus, &device, &luns) ==
				      SCSI_OK;
	enum unit unit = UNIT_FINE;
	bool all_usable = true;

	for (u8 lun = 1; lun < LUNS && unit == UNIT_FINE; lun++) {
		if (listed && !(luns >> lun & 1))
			continue;
		device.lun = lun;
		device.cdb_lun = (u8)(old ? lun << 5 : 0);
		unit = scan_unit(device, &found, listed ? NULL : first);
		if (unit == UNIT_UNUSABLE || unit == UNIT_HUNG)
			all_usable = false;
		if (listed)
			unit = UNIT_FINE; /* the next is there in any case */
	}
	return all_usable;
}

/* Two targets in a row that do not even end an INQUIRY mean that it is the bus
 * that hangs: more would only cost time.
 */
bool units_scan(void)
{
	const struct hba *hba = state()->bus.hba;
	bool all_usable = true;
	u32 hung = 0;

	take_buffer(false);
	for (u8 id = 0; id <= hba->last_id && hung < 2; id++) {
		struct scsi_device device = {.target = id};
		struct found first;

		if (id == hba->own_id)
			continue;
		enum unit unit = scan_unit(device, &first, NULL);
		hung = unit == UNIT_HUNG ? hung + 1 : 0;
		if (unit == UNIT_UNUSABLE || unit == UNIT_HUNG)
			all_usable = false;
		/* A target without LUN 0 says so in its answer. */
		if (unit == UNIT_HUNG ||
		    (unit == UNIT_ABSENT && !first.inquiry.type))
			continue;
		if (!scan_luns_behind(device, &first))
			all_usable = false;
	}
	if (hung == 2) {
		console_newline();
		console_rom(ROM_STRING("  the bus hangs, scan ended"));
	}
	if (!workspace.post.buffer_kept)
		give_buffer_back();
	state()->bus.suspect = false; /* an ID that is free is no trouble */
	return all_usable;
}
