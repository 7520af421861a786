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

/* The end of an MBR: partition table and signature. */
#define MBR_TABLE_AT 446
#define MBR_TABLE_BYTES 66

/* The geometry for a disk of so many 512-byte sectors. `table` is the end of
 * its MBR, or null if it could not be read: a partition table whose entries
 * agree on heads and sectors decides, else 64/32 up to 1 GiB and 255/63 above.
 */
struct geometry geometry_choose(u32 sectors, const u8 *table);

/* Does a disk of so many sectors have all that the geometry names? */
bool geometry_fits(const struct geometry *geometry, u32 sectors);

/* LBA of a CHS address; false if it lies outside the geometry. */
bool geometry_lba(const struct geometry *geometry, u16 cylinder, u8 head,
		  u8 sector, u32 *lba);

#endif
