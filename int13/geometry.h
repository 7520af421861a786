/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Cylinders, heads and sectors. Pure: no I/O. Available after init only if there is
 * a disk with removable media: geometry_choose().
 */
#ifndef INT13_GEOMETRY_H
#define INT13_GEOMETRY_H

#include "pc/far.h"

#define SECTOR_SHIFT 9 /* a sector has 512 bytes */

struct geometry {
	u16 cylinders;	      /* 1 to 1024 */
	u8 heads;	      /* 1 to 255 */
	u8 sectors_per_track; /* 1 to 63 */
};

#define MOST_CYLINDERS 1024
#define MOST_HEADS 255 /* DOS cannot count to 256 */
#define MOST_SECTORS_PER_TRACK 63

/* Hints for geometry_choose() */
#define GEOMETRY_FIRST_SECTOR 1 /* FS points at the first sector of the disk */
#define GEOMETRY_CAM 2 /* a disk that shows no geometry gets that of SCSI CAM */

/* Choose the geometry for a disk of `sectors` 512-byte sectors. Heads and sectors per
 * track come from the first of these rules that applies:
 * - a partition table whose entries agree on them
 * - without partitions, the boot sector of a FAT or NTFS file system
 * - with GEOMETRY_CAM, the fewest heads and then sectors of which 1024 cylinders
 *   are enough, or 255/63: the rule of SCSI CAM, from 63 sectors instead of 62
 * - above 1 GiB: 255/63
 * - 64/32, or else another usual shape, that divides the disk without a rest
 * - 64/32
 */
struct geometry geometry_choose(u32 sectors, u8 hints);

/* Does every CHS address of the geometry exist on a disk of `sectors`
 * sectors?
 */
static inline bool geometry_fits(const struct geometry *geometry, u32 sectors)
{
	return (u32)geometry->cylinders * geometry->heads *
		       geometry->sectors_per_track <=
	       sectors;
}

struct chs {
	u16 cylinder;
	u8 head;
	u8 sector;
};

/* Offsets in the sector of a partition table */
#define MBR_TABLE_AT 446
#define MBR_SIGNATURE_AT 510
#define MBR_SIGNATURE 0xaa55
#define PART_TYPE 4 /* in an entry */
#define PART_END_CHS 5

/* The CHS address at FS:at, packed as in a partition entry: head, sector with
 * cylinder bits 9:8 in 7:6, cylinder bits 7:0.
 */
static inline struct chs geometry_unpack(u32 at)
{
	u8 sector = FAR8(at + 1);

	return (struct chs){(u16)((sector & 0xc0) << 2 | FAR8(at + 2)),
			    FAR8(at), sector & 0x3f};
}

/* CL of AH=08h: bits 9:8 of the last cylinder in 7:6, the last sector in 5:0 */
static inline u8 geometry_cl(const struct geometry *geometry)
{
	return (u8)(((geometry->cylinders - 1) >> 2 & 0xc0) |
		    geometry->sectors_per_track);
}

/* LBA of a CHS address, or GEOMETRY_NO_LBA if it lies outside the geometry. */
#define GEOMETRY_NO_LBA 0xffffffffu
static inline u32 geometry_lba(const struct geometry *geometry, struct chs chs)
{
	u32 sector = chs.sector - 1u;

	if (chs.cylinder >= geometry->cylinders ||
	    chs.head >= geometry->heads ||
	    sector >= geometry->sectors_per_track)
		return GEOMETRY_NO_LBA;
	return ((u32)chs.cylinder * geometry->heads + chs.head) *
		       geometry->sectors_per_track +
	       sector;
}

#endif
