/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Which BIOS drive number is which disk, and what is known of it.
 */
#ifndef INT13_DRIVES_H
#define INT13_DRIVES_H

#include "geometry.h"
#include "scsi/disk.h"

#define MOST_DISKS 16
#define FIRST_HARD_DISK 0x80
#define MOST_BIOS_NUMBERS 32 /* 80h to 9Fh: one bit each in drive_map */

#define SECTOR_SHIFT 9 /* a sector has 512 bytes, ... */
#define MOST_BLOCK_SHIFT 12 /* and a block of a disk has up to 4096 */
#define CD_BLOCK_SHIFT 11   /* of a CD 2048 */

/* The buffer for parts of a block and for partition tables. It is only there
 * if a disk needs it.
 */
#define BLOCK_BUFFER_BYTES 4096
#define BLOCK_BUFFER_KIB (BLOCK_BUFFER_BYTES / 1024)

struct disk {
	struct scsi_device device;
	u8 number; /* BIOS drive number, 0 until connected */
	struct geometry geometry;
	u64 sectors;
	u8 sector_shift; /* a sector has 1 << sector_shift bytes */
	u8 split;	 /* a block of the disk has 1 << split sectors */
	u8 flags;	 /* DISK_... */
	u8 locks;	 /* unlocks that INT 13h AH=45h owes */
};

#define DISK_REMOVABLE 0x01 /* CDs too */
#define DISK_CHANGED 0x02 /* not yet told by AH=16h or 49h */
#define DISK_UNKNOWN 0x04 /* measure before use */
#define DISK_UNTOLD 0x08  /* the caller must get AH=06h before any sectors */
#define DISK_CD 0x10
#define DISK_IMAGE 0x20	  /* not the CD itself but the image in it ... */
#define DISK_FLOPPY 0x40  /* ... that is a floppy */
#define DISK_KIND (DISK_REMOVABLE | DISK_CD | DISK_IMAGE | DISK_FLOPPY)
#define DISK_NEWS (DISK_CHANGED | DISK_UNKNOWN | DISK_UNTOLD)

/* The boot image that was booted, or that is emulated, or both (cd/) */
struct boot_image {
	u32 lba; /* of the disc; 0 if there is no image */
	struct geometry geometry;
	u16 sum;	  /* of its first block, to know it again */
	u16 load_segment; /* as in the boot catalog */
	u16 count;	  /* sectors loaded at boot */
	u8 media;	  /* as in the boot catalog */
	u8 disk;	  /* the CD's place in the table */
	bool checked;	  /* it is in the drive */
};

#define NOT_EMULATED 0xff
#define NO_BLOCK 0xffffffffu

/* The state of INT 13h; its first fields are used by rom/entry.S. */
struct int13_state {
	u32 drive_map;	 /* bit n: drive 80h + n is ours */
	u32 previous;	 /* INT 13h vector before us ... */
	u32 previous_cd; /* ... and before the door for CDs */
	u8 cd_first;	 /* drive number of our first CD */
	u8 cd_count;	 /* of CDs that have numbers */
	u8 emulated;	 /* drive number of the image, or NOT_EMULATED */
	bool for_image;	 /* this call is, whatever else has its number */
	struct scsi_bus bus;
	u16 pci_address;     /* of the controller */
	u16 buffer_segment;  /* of the block buffer, 0 if there is none */
	u32 buffer_address;  /* its bus address */
	u32 buffer_block;    /* the image's disc: which block is in it */
	struct boot_image boot_image;
	u8 equipment;	     /* 40:10h before a floppy was emulated */
	bool native_blocks;  /* large blocks are not split into sectors */
	bool by_vds;	     /* bus addresses are not linear ones now */
	u8 disks;
	struct disk disk[MOST_DISKS];
};

/* The disk or CD with that BIOS number, or null. */
struct disk *drives_find(struct int13_state *state, u8 number);

/* Give the disk the next free number of 40:75h and count it there. Does
 * nothing for a disk that has one. False if the BIOS has no number left.
 */
bool drives_connect(struct int13_state *state, struct disk *disk);

/* Take it back, if it is the last one. False if it is not. */
bool drives_disconnect(struct int13_state *state, struct disk *disk);

/* What AH=48h says of a drive without a medium: the most that CHS can name. */
static inline void drives_set_largest(struct disk *disk)
{
	disk->geometry = (struct geometry){MOST_CYLINDERS, MOST_HEADS,
					   MOST_SECTORS_PER_TRACK};
	disk->sectors = MOST_CYLINDERS * MOST_HEADS * MOST_SECTORS_PER_TRACK;
	disk->sector_shift =
		disk->flags & DISK_CD ? CD_BLOCK_SHIFT : SECTOR_SHIFT;
}

/* The medium may be another one from now on. */
static inline void drives_note_change(struct int13_state *state,
				      struct disk *disk)
{
	disk->flags |= DISK_NEWS;
	state->boot_image.checked = false;
	state->buffer_block = NO_BLOCK;
}

/* Sectors for those who have 32 bits for them */
static inline u32 sectors_32(const struct disk *disk)
{
	return disk->sectors >> 32 ? 0xffffffff : (u32)disk->sectors;
}

/* Ask the disk for its size and derive block size, sectors and geometry.
 * SCSI_BAD_BLOCKS if they cannot be served; *capacity is what it said (measure.c).
 */
enum scsi_result drives_measure(struct int13_state *state, struct disk *disk,
				struct disk_capacity *capacity);

#endif
