/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Which BIOS drive number is which disk.
 */
#ifndef INT13_DRIVES_H
#define INT13_DRIVES_H

#include "geometry.h"
#include "scsi/scsi.h"

#define MOST_DISKS 16
#define FIRST_HARD_DISK 0x80
#define MOST_BIOS_NUMBERS 32 /* 80h to 9Fh: one bit each in drive_map */

#define SECTOR_BYTES 512

struct disk {
	struct scsi_device device;
	u8 number; /* BIOS drive number, 0 until connected */
	struct geometry geometry;
	u32 sectors; /* of 512 bytes */
};

/* The state of INT 13h; its first fields are used by rom/entry.S. */
struct int13_state {
	u32 drive_map; /* bit n: drive 80h + n is ours */
	u32 previous;  /* INT 13h vector before us */
	struct scsi_bus bus;
	u8 disks;
	struct disk disk[MOST_DISKS];
};

/* The disk with that BIOS number, or null. */
struct disk *drives_find(struct int13_state *state, u8 number);

/* Give the disk the next free number of 40:75h and count it there. Does
 * nothing for a disk that has one. False if the BIOS has no number left.
 */
bool drives_connect(struct int13_state *state, struct disk *disk);

#endif
