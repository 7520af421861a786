/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Chooses the geometry of a disk. A partition table shows the geometry under
 * which the disk was partitioned. Keeping that geometry lets the disk boot
 * when it is moved from another controller.
 */
#include "int13/geometry.h"

#define MBR_ENTRY_BYTES 16

/* Further offsets in a partition entry */
#define PART_START_CHS 1
#define PART_START_LBA 8
#define PART_SECTORS 12

#define SMALL_DISK_SECTORS 0x200000u /* 1 GiB */

/* Is the packed CHS address that of the LBA? An LBA past cylinder 1023 has no
 * CHS address; then every value agrees.
 */
static bool agrees(const struct geometry *geometry, u32 chs, u32 lba)
{
	if (lba / geometry->heads / geometry->sectors_per_track >=
	    MOST_CYLINDERS)
		return true;
	return geometry_lba(geometry, geometry_unpack(chs)) == lba;
}

static bool entry_used(u32 entry)
{
	return FAR8(entry + PART_TYPE) && FAR32(entry + PART_SECTORS);
}

static bool table_agrees(const struct geometry *geometry)
{
	for (u32 entry = MBR_TABLE_AT; entry < MBR_SIGNATURE_AT;
	     entry += MBR_ENTRY_BYTES) {
		u32 start = FAR32(entry + PART_START_LBA);
		u32 end = start + FAR32(entry + PART_SECTORS) - 1;

		if (entry_used(entry) &&
		    (FAR8(entry) & 0x7f ||
		    !(agrees(geometry, entry + PART_START_CHS, start) &&
		      agrees(geometry, entry + PART_END_CHS, end))))
			return false;
	}
	return true;
}

/* Partitions of old systems end on a cylinder boundary, so their end is the last
 * head and sector. Try the end of each entry, and keep the first one with which
 * all entries agree.
 */
static bool from_ends(struct geometry *geometry)
{
	struct geometry found;

	for (u32 entry = MBR_TABLE_AT; entry < MBR_SIGNATURE_AT;
	     entry += MBR_ENTRY_BYTES) {
		struct chs end = geometry_unpack(entry + PART_END_CHS);

		/* An end within the first cylinder need not be its last head. */
		if (!entry_used(entry) || end.head == 255 || !end.sector ||
		    !end.cylinder)
			continue;
		found = (struct geometry){MOST_CYLINDERS, (u8)(end.head + 1),
					  end.sector};
		if (table_agrees(&found)) {
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

/* Partitions of later systems end anywhere, but their CHS addresses still fit
 * only some shape. *geometry was chosen by size; replace it only if another
 * shape fits the addresses and it does not.
 */
static void from_addresses(struct geometry *geometry)
{
	struct geometry other;

	if (table_agrees(geometry))
		return;
	for (u32 i = 0; i < ARRAY_SIZE(small_shapes); i++) {
		use_shape(&other, &small_shapes[i]);
		if (table_agrees(&other)) {
			*geometry = other;
			return;
		}
	}
}

struct geometry geometry_choose(u32 sectors, bool first_sector)
{
	struct geometry geometry;

	from_size(sectors, &geometry);
	if (first_sector && FAR16(MBR_SIGNATURE_AT) == MBR_SIGNATURE &&
	    !from_ends(&geometry))
		from_addresses(&geometry);
	u32 cylinders =
		sectors / geometry.heads / geometry.sectors_per_track;
	if (cylinders > MOST_CYLINDERS)
		cylinders = MOST_CYLINDERS;
	geometry.cylinders = cylinders ? (u16)cylinders : 1;
	return geometry;
}
