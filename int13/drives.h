/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The table of drives: drive number, SCSI device, size and state of each.
 */
#ifndef INT13_DRIVES_H
#define INT13_DRIVES_H

#include "geometry.h"
#include "scsi/disk.h"

#define MOST_DISKS 32
#define FIRST_HARD_DISK 0x80
#define MOST_BIOS_NUMBERS 32 /* 80h to 9Fh: one bit each in drive_map */

#define MOST_BLOCK_SHIFT 12 /* a block of a disk has up to 4096 */
#define CD_BLOCK_SHIFT 11   /* a block of a CD has 2048 */

/* The buffer for partial blocks and for partition tables. It is allocated only
 * if a drive needs it.
 */
#define BLOCK_BUFFER_BYTES 4096
#define BLOCK_BUFFER_KIB (BLOCK_BUFFER_BYTES / 1024)

#define CD_SECTOR_SPLIT 2 /* 4 sectors of 512 bytes in a block of a CD */

struct disk {
	struct scsi_device device;
	u8 number; /* BIOS drive number, 0 until connected */
	struct geometry geometry;
	u64 sectors;
	u8 sector_shift; /* a sector has 1 << sector_shift bytes */
	i8 split; /* a block of the disk has 1 << split sectors; -CD_SECTOR_SPLIT:
		   * a CD drive with blocks of 512 bytes, 4 for each sector */
	u8 flags;	 /* DISK_... */
	u8 locks;	 /* by AH=45h, not yet undone */
};

#define DISK_REMOVABLE 0x01 /* set for CDs too */
#define DISK_CHANGED 0x02 /* a change that AH=16h or 49h has yet to report */
#define DISK_UNKNOWN 0x04 /* the size is unknown: measure before use */
#define DISK_UNREPORTED 0x08  /* a change that the next transfer must report */
#define DISK_CD 0x10
#define DISK_EMULATED 0x20	  /* the emulated drive: a boot image on a CD */
#define DISK_FLOPPY 0x40  /* the emulated drive is a floppy */
#define DISK_TRIED 0x80 /* read to BOOT_PLACE, as a boot sector */
#define DISK_KIND (DISK_REMOVABLE | DISK_CD | DISK_EMULATED | DISK_FLOPPY)
#define DISK_NEW_MEDIUM (DISK_CHANGED | DISK_UNKNOWN | DISK_UNREPORTED)

/* The boot image of a CD that was booted or is emulated (cd/) */
struct boot_image {
	u32 lba; /* its first block on the disc; 0: the whole disc */
	u32 first; /* the same in blocks of the drive (emulation_view()) */
	u32 crc; /* of its first block and the size of the disc: identifies the disc */
	struct geometry geometry;
	u16 load_segment; /* as in the boot catalog */
	u16 count;	  /* sectors loaded at boot */
	u8 media;	  /* as in the boot catalog */
	u8 disk;	  /* index of the CD drive in the table */
	bool exists;	  /* the other fields are valid */
	bool checked;	  /* its disc is in the drive */
};

/* Device parameter table extension [EDD-4 "Device parameter table extension"]. Its
 * fields are made for ATA; a SCSI disk has only the following.
 */
struct dpte {
	u16 io; /* of the controller. No program takes it for an ATA channel. */
	u16 ata_control;
	u8 device; /* DPTE_DEVICE */
	u8 vendor;
	u8 irq; /* of the controller, 0 if unknown */
	u8 ata[3];
	u8 options; /* DPTE_LBA, DPTE_REMOVABLE: of the drive asked for last */
	u8 reserved[3];
	u8 version; /* DPTE_VERSION */
	u8 sum;	    /* makes the sum of all bytes 0 */
} __attribute__((packed));

#define DPTE_DEVICE 0xe0 /* addressed by LBA */
#define DPTE_LBA 0x10
#define DPTE_REMOVABLE 0x20
#define DPTE_VERSION 0x30

/* How the chip finds the caller's buffer in this call */
enum buffer_place {
	PLACE_LINEAR, /* its linear address is its bus address */
	PLACE_BY_VDS, /* VDS translates addresses */
	PLACE_UNKNOWN, /* the CPU copies the buffer to or from our own memory */
};

#define NOT_EMULATED 0xff
#define NO_BLOCK 0xffffffffu

/* The state of INT 13h; its first fields are used by rom/entry.S. */
struct int13_state {
	u32 drive_map;	 /* bit n: drive 80h + n is ours */
	u32 previous;	 /* INT 13h handler before rom_int13 */
	u32 previous_cd; /* INT 13h handler before rom_int13_cd */
	u8 cd_first;	 /* drive number of our first CD */
	u8 cd_count;	 /* CDs that have drive numbers */
	u8 emulated;	 /* number of the emulated drive, or NOT_EMULATED */
	bool for_emulated; /* this call addresses the emulated drive */
	struct scsi_bus bus;
	u16 pci_address;     /* of the controller */
	u16 buffer_segment;  /* of the block buffer, 0 if there is none */
	u16 buffer_bytes;    /* its size; 2048 if only CDs need it */
	u32 buffer_address;  /* its bus address */
	u32 buffer_block;    /* block of a CD that it contains, or NO_BLOCK */
	struct boot_image boot_image;
	u8 equipment;	     /* 40:10h before a floppy was emulated */
	bool native_blocks;  /* large blocks are not split into sectors */
	u8 buffer_place;     /* enum buffer_place */
	u8 disks; /* rows of drive_table */
	struct dpte dpte; /* returned by AH=48h */
	u8 geometry_rule; /* of disks that show no geometry: GEOMETRY_CAM or 0 */
	void (*boot_sector_read)(void); /* if not null, called when DISK_TRIED is set */
};

/* The table of drives, in boot order once POST has ended: int13_state.disks rows of
 * MOST_DISKS are in use.
 */
extern struct disk drive_table[];

/* The sector of the workspace through which the CPU copies buffers */
extern u8 bounce_sector[1u << SECTOR_SHIFT];

/* The disk or CD with that BIOS drive number, or null. */
struct disk *drives_find(struct int13_state *state, u8 number);

/* Assign the next free drive number to the disk, and count it at 40:75h. A disk
 * that has a number keeps it. False if no number is free. Moves FS.
 */
bool drives_connect(struct int13_state *state, struct disk *disk);

/* Undo drives_connect(). False, and nothing changes, if the disk has no
 * number or a drive was counted after it. Moves FS.
 */
bool drives_disconnect(struct int13_state *state, struct disk *disk);

/* Set the largest size that CHS can address: AH=48h returns it for a drive
 * without a medium [EDD-4].
 */
static inline void drives_set_largest(struct disk *disk)
{
	disk->geometry = (struct geometry){MOST_CYLINDERS, MOST_HEADS,
					   MOST_SECTORS_PER_TRACK};
	disk->sectors = MOST_CYLINDERS * MOST_HEADS * MOST_SECTORS_PER_TRACK;
	disk->sector_shift =
		(disk->flags & (DISK_CD | DISK_EMULATED)) == DISK_CD
			? CD_BLOCK_SHIFT
			: SECTOR_SHIFT;
}

/* Note that the medium may have been exchanged. */
static inline void drives_note_change(struct int13_state *state,
				      struct disk *disk)
{
	disk->flags |= DISK_NEW_MEDIUM;
	state->boot_image.checked = false;
	state->buffer_block = NO_BLOCK;
}

/* Bytes of a block of the disk, as a power of 2 */
static inline u8 drives_block_shift(const struct disk *disk)
{
	return (u8)(disk->sector_shift + disk->split);
}

/* Sectors of the disk, at most FFFFFFFFh */
static inline u32 drives_sectors32(const struct disk *disk)
{
	return disk->sectors >> 32 ? 0xffffffff : (u32)disk->sectors;
}

/* Read the capacity of the medium and its first block, and set block size,
 * sectors and geometry (media/measure.c). *capacity is what the device
 * returned. SCSI_BAD_BLOCKS: blocks of this size are not supported, or need a
 * block buffer and there is none. SCSI_MEDIUM_CHANGED: the medium was
 * exchanged meanwhile. Moves FS.
 */
enum scsi_result drives_measure(struct int13_state *state, struct disk *disk,
				struct disk_capacity *capacity);

#endif
