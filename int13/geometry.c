/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The translation under which a disk was partitioned is written in its
 * partition table; keeping to it lets a disk move between controllers.
 */
#include "geometry.h"

#define MBR_SIGNATURE_AT 64 /* in the table */
#define MBR_SIGNATURE 0xaa55
#define MBR_ENTRIES 4
#define MBR_ENTRY_BYTES 16

/* Offsets in a partition entry */
#define PART_START_CHS 1
#define PART_TYPE 4
#define PART_END_CHS 5
#define PART_START_LBA 8
#define PART_SECTORS 12

#define MOST_CYLINDERS 1024
#define SMALL_DISK_SECTORS 0x200000u /* 1 GiB */

/* A CHS address as packed in a partition entry: head, sector with cylinder
 * bits 9:8 in 7:6, cylinder bits 7:0.
 */
static u16 chs_cylinder(const u8 *chs)
{
	return (u16)((chs[1] & 0xc0) << 2 | chs[2]);
}

static u8 chs_sector(const u8 *chs)
{
	return chs[1] & 0x3f;
}

bool geometry_lba(const struct geometry *geometry, u16 cylinder, u8 head,
		  u8 sector, u32 *lba)
{
	if (cylinder >= geometry->cylinders || head >= geometry->heads ||
	    sector == 0 || sector > geometry->sectors_per_track)
		return false;
	*lba = ((u32)cylinder * geometry->heads + head) *
		       geometry->sectors_per_track +
	       sector - 1;
	return true;
}

bool geometry_fits(const struct geometry *geometry, u32 sectors)
{
	return (u32)geometry->cylinders * geometry->heads *
		       geometry->sectors_per_track <=
	       sectors;
}

/* Does the packed CHS address name that LBA? An LBA past cylinder 1023 has
 * no CHS address: then anything goes.
 */
static bool agrees(const struct geometry *geometry, const u8 *chs, u32 lba)
{
	u32 named;

	if (lba / geometry->heads / geometry->sectors_per_track >=
	    MOST_CYLINDERS)
		return true;
	return geometry_lba(geometry, chs_cylinder(chs), chs[0],
			    chs_sector(chs), &named) &&
	       named == lba;
}

static bool entry_used(const u8 *entry)
{
	return entry[PART_TYPE] && le32(entry + PART_SECTORS);
}

static bool table_agrees(const struct geometry *geometry, const u8 *table)
{
	for (u32 i = 0; i < MBR_ENTRIES; i++) {
		const u8 *entry = table + i * MBR_ENTRY_BYTES;
		u32 start = le32(entry + PART_START_LBA);
		u32 end = start + le32(entry + PART_SECTORS) - 1;

		if (entry_used(entry) &&
		    !(agrees(geometry, entry + PART_START_CHS, start) &&
		      agrees(geometry, entry + PART_END_CHS, end)))
			return false;
	}
	return true;
}

/* Partitions end on a cylinder boundary, so that the end of one names the
 * last head and sector. Try the end of each against all entries.
 */
static bool from_partitions(const u8 *table, struct geometry *geometry)
{
	if (le16(table + MBR_SIGNATURE_AT) != MBR_SIGNATURE)
		return false;
	for (u32 i = 0; i < MBR_ENTRIES; i++) {
		const u8 *entry = table + i * MBR_ENTRY_BYTES;
		const u8 *end = entry + PART_END_CHS;

		/* An end within the first cylinder says nothing of heads. */
		if (!entry_used(entry) || end[0] == 255 || !chs_sector(end) ||
		    !chs_cylinder(end))
			continue;
		*geometry = (struct geometry){MOST_CYLINDERS,
					      (u8)(end[0] + 1),
					      chs_sector(end)};
		if (table_agrees(geometry, table))
			return true;
	}
	return false;
}

struct geometry geometry_choose(u32 sectors, const u8 *table)
{
	struct geometry geometry;

	if (!table || !from_partitions(table, &geometry)) {
		bool small = sectors <= SMALL_DISK_SECTORS;
		geometry.heads = small ? 64 : 255;
		geometry.sectors_per_track = small ? 32 : 63;
	}
	u32 cylinders =
		sectors / geometry.heads / geometry.sectors_per_track;
	if (cylinders > MOST_CYLINDERS)
		cylinders = MOST_CYLINDERS;
	geometry.cylinders = cylinders ? (u16)cylinders : 1;
	return geometry;
}
