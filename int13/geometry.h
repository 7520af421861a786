/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Cylinders, heads and sectors. Pure: no I/O.
 */
#ifndef INT13_GEOMETRY_H
#define INT13_GEOMETRY_H

#include "pc/types.h"

struct geometry {
	u16 cylinders;	      /* 1 to 1024 */
	u8 heads;	      /* 1 to 255 */
	u8 sectors_per_track; /* 1 to 63 */
};

#define MOST_CYLINDERS 1024
#define MOST_HEADS 255 /* DOS cannot count to 256 */
#define MOST_SECTORS_PER_TRACK 63

/* The geometry for a disk of so many 512-byte sectors. If FS points at its
 * first sector, a partition table in there whose entries agree on heads and
 * sectors decides; else 64/32 up to 1 GiB, or one that accounts for every
 * sector if that does not, and 255/63 above.
 */
struct geometry geometry_choose(u32 sectors, bool first_sector);

/* Does a disk of so many sectors have all that the geometry names? */
bool geometry_fits(const struct geometry *geometry, u32 sectors);

struct chs {
	u16 cylinder;
	u8 head;
	u8 sector;
};

/* A partition table, if FS points at its sector */
#define MBR_TABLE_AT 446
#define MBR_SIGNATURE_AT 510
#define MBR_SIGNATURE 0xaa55
#define PART_TYPE 4 /* in an entry */
#define PART_END_CHS 5

/* The CHS address at FS:at, packed as in a partition entry: head, sector with
 * cylinder bits 9:8 in 7:6, cylinder bits 7:0.
 */
struct chs geometry_unpack(u32 at);

/* The last cylinder and sector, packed for CL as AH=08h returns them */
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
