/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Chooses the geometry of a disk. A partition table or the boot sector of a file
 * system shows the geometry under which it was made. Keeping that geometry lets
 * the disk boot when it is moved from another controller.
 */
#include "int13/geometry.h"

#define MBR_ENTRY_BYTES 16

/* Further offsets in a partition entry */
#define PART_START_CHS 1
#define PART_START_LBA 8
#define PART_SECTORS 12

#define PART_TYPE_PROTECTIVE 0xee /* the disk has a GPT [UEFI "Protective MBR"] */

/* Offsets in the boot sector of a FAT or NTFS file system */
#define BOOT_JUMP 0
#define BPB_SECTOR_BYTES 11
#define BPB_CLUSTER_SECTORS 13
#define BPB_MEDIA 21
#define BPB_TRACK_SECTORS 24
#define BPB_HEADS 26

#define JUMP_SHORT 0xeb
#define JUMP_NEAR 0xe9
#define LEAST_MEDIA 0xf0

#define SMALL_DISK_SECTORS 0x200000u /* 1 GiB */

static bool is_largest(const struct geometry *geometry)
{
	return geometry->heads == MOST_HEADS &&
	       geometry->sectors_per_track == MOST_SECTORS_PER_TRACK;
}

/* FE FF FF or FF FF FF: a program has stored the highest address instead of the
 * right one. Such programs count 255 heads and 63 sectors.
 */
static bool is_highest(struct chs chs)
{
	return chs.cylinder == MOST_CYLINDERS - 1 &&
	       chs.head >= MOST_HEADS - 1 &&
	       chs.sector == MOST_SECTORS_PER_TRACK;
}

static u32 sectors_addressed(const struct geometry *geometry)
{
	return (u32)MOST_CYLINDERS * geometry->heads *
	       geometry->sectors_per_track;
}

/* Is the CHS address at FS:at that of the LBA? An LBA past cylinder 1023 has no
 * CHS address. Stored for it is the last cylinder, or the cylinder without its
 * upper bits; head and sector must exist in the geometry.
 */
static bool agrees(const struct geometry *geometry, u32 at, u32 lba)
{
	struct chs chs = geometry_unpack(at);
	u32 stored = geometry_lba(geometry, chs);
	u32 addressable = sectors_addressed(geometry);

	if (is_highest(chs))
		return is_largest(geometry);
	if (stored == GEOMETRY_NO_LBA)
		return false;
	return stored == lba % addressable ||
	       (lba >= addressable && chs.cylinder == MOST_CYLINDERS - 1);
}

static bool entry_used(u32 entry)
{
	return FAR8(entry + PART_TYPE) && FAR32(entry + PART_SECTORS);
}

/* The partitions of a disk with a GPT have no CHS addresses, and its protective
 * entry, which covers the disk, is there for programs that know no GPT.
 */
static bool shows_geometry(u32 entry)
{
	return entry_used(entry) &&
	       FAR8(entry + PART_TYPE) != PART_TYPE_PROTECTIVE;
}

/* The boot sector of a file system has text or code at this place. */
static bool is_table(void)
{
	bool used = false;

	for (u32 entry = MBR_TABLE_AT; entry < MBR_SIGNATURE_AT;
	     entry += MBR_ENTRY_BYTES) {
		if (!entry_used(entry))
			continue;
		if (FAR8(entry) & 0x7f)
			return false;
		used = true;
	}
	return used && FAR16(MBR_SIGNATURE_AT) == MBR_SIGNATURE;
}

#define ALL 0xffffffffu

/* Do all entries that begin before `limit` agree with the geometry? */
static bool table_agrees(const struct geometry *geometry, u32 limit)
{
	for (u32 entry = MBR_TABLE_AT; entry < MBR_SIGNATURE_AT;
	     entry += MBR_ENTRY_BYTES) {
		u32 start = FAR32(entry + PART_START_LBA);
		u32 end = start + FAR32(entry + PART_SECTORS) - 1;

		if (start < limit && shows_geometry(entry) &&
		    !(agrees(geometry, entry + PART_START_CHS, start) &&
		      agrees(geometry, entry + PART_END_CHS, end)))
			return false;
	}
	return true;
}

/* Partitions of old systems end on a cylinder boundary, so their end is the last
 * head and sector. Try the end of each entry, and keep the first one with which
 * all entries agree that it can address: a later system may have added partitions
 * at the end of the disk.
 */
static bool from_ends(struct geometry *geometry)
{
	struct geometry found;

	for (u32 entry = MBR_TABLE_AT; entry < MBR_SIGNATURE_AT;
	     entry += MBR_ENTRY_BYTES) {
		struct chs end = geometry_unpack(entry + PART_END_CHS);

		/* An end within the first cylinder need not be its last head. */
		if (!shows_geometry(entry) || end.head == 255 || !end.sector ||
		    !end.cylinder)
			continue;
		found = (struct geometry){MOST_CYLINDERS, (u8)(end.head + 1),
					  end.sector};
		u32 limit = sectors_addressed(&found);
		if (FAR32(entry + PART_START_LBA) < limit &&
		    table_agrees(&found, limit)) {
			*geometry = found;
			return true;
		}
	}
	return false;
}

struct shape {
	u8 heads, sectors_per_track;
};

/* Shapes of a small disk: the first that divides the disk without a rest, which
 * DOS tools expect; or else the first, which SCSI BIOSes use.
 */
ROM_CONST struct shape small_shapes[] = {
	{64, 32}, {16, 63}, {255, 63}, {32, 63}, {64, 63}, {128, 63}, {240, 63},
};

static bool accounts_for(const struct shape __seg_gs *shape, u32 sectors)
{
	u32 in_cylinder = (u32)shape->heads * shape->sectors_per_track;

	return sectors % in_cylinder == 0 &&
	       sectors / in_cylinder <= MOST_CYLINDERS;
}

static void use_shape(struct geometry *geometry,
		      const struct shape __seg_gs *shape)
{
	geometry->cylinders = MOST_CYLINDERS;
	geometry->heads = shape->heads;
	geometry->sectors_per_track = shape->sectors_per_track;
}

static void from_size(u32 sectors, struct geometry *geometry)
{
	const struct shape __seg_gs *shape = small_shapes;

	*geometry = (struct geometry){MOST_CYLINDERS, MOST_HEADS,
				      MOST_SECTORS_PER_TRACK};
	if (sectors > SMALL_DISK_SECTORS)
		return;
	for (u32 i = ARRAY_SIZE(small_shapes); i--;)
		if (accounts_for(&small_shapes[i], sectors))
			shape = &small_shapes[i];
	use_shape(geometry, shape);
}

/* The rule of SCSI CAM [CAM-1 "Annex A"], but from 63 sectors */
static void from_cam(u32 sectors, struct geometry *geometry)
{
	u32 heads = (sectors - 1) / (MOST_CYLINDERS * MOST_SECTORS_PER_TRACK) +
		    1;

	*geometry = (struct geometry){MOST_CYLINDERS, MOST_HEADS,
				      MOST_SECTORS_PER_TRACK};
	if (heads > MOST_HEADS)
		return;
	geometry->heads = (u8)heads;
	geometry->sectors_per_track =
		(u8)((sectors - 1) / (MOST_CYLINDERS * heads) + 1);
}

/* Partitions of later systems end anywhere, but their CHS addresses still fit
 * only some shape. *geometry was chosen by size; replace it only if another
 * shape fits the addresses and it does not. False if no shape fits.
 */
static bool from_addresses(u32 sectors, struct geometry *geometry)
{
	struct geometry other = *geometry;

	for (u32 i = 0; !table_agrees(&other, ALL); i++) {
		if (i < ARRAY_SIZE(small_shapes))
			use_shape(&other, &small_shapes[i]);
		else if (i == ARRAY_SIZE(small_shapes))
			from_cam(sectors, &other);
		else
			return false;
	}
	*geometry = other;
	return true;
}

/* A disk without partitions starts with the boot sector of its file system, which
 * finds its files by the heads and sectors stored there.
 */
static void from_boot_sector(struct geometry *geometry)
{
	u8 jump = FAR8(BOOT_JUMP), cluster = FAR8(BPB_CLUSTER_SECTORS);
	u16 heads = FAR16(BPB_HEADS), sectors = FAR16(BPB_TRACK_SECTORS);

	if ((jump != JUMP_SHORT && jump != JUMP_NEAR) ||
	    FAR16(BPB_SECTOR_BYTES) != 1u << SECTOR_SHIFT || !cluster ||
	    cluster & (cluster - 1) || FAR8(BPB_MEDIA) < LEAST_MEDIA)
		return;
	if (heads - 1u < MOST_HEADS && sectors - 1u < MOST_SECTORS_PER_TRACK)
		*geometry = (struct geometry){MOST_CYLINDERS, (u8)heads,
					      (u8)sectors};
}

static bool from_table(u32 sectors, struct geometry *geometry)
{
	return is_table() &&
	       (from_ends(geometry) || from_addresses(sectors, geometry));
}

struct geometry geometry_choose(u32 sectors, u8 hints)
{
	struct geometry geometry;

	if (hints & GEOMETRY_CAM)
		from_cam(sectors, &geometry);
	else
		from_size(sectors, &geometry);
	if (hints & GEOMETRY_FIRST_SECTOR && !from_table(sectors, &geometry))
		from_boot_sector(&geometry);
	u32 cylinders =
		sectors / geometry.heads / geometry.sectors_per_track;
	if (cylinders > MOST_CYLINDERS)
		cylinders = MOST_CYLINDERS;
	geometry.cylinders = cylinders ? (u16)cylinders : 1;
	return geometry;
}
