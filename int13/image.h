/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Boot images of CDs [El Torito 1.0]: finding one in the boot catalog, loading
 * it, and emulating a floppy or a hard disk with it. All of it stays in memory
 * only if there is a CD drive (rom/rom.ld).
 */
#ifndef INT13_IMAGE_H
#define INT13_IMAGE_H

#include "int13.h"
#include "transfer.h"

/* Why a disc or an image cannot be booted: an INT 13h status, and above it a
 * reason if the status says too little; rom/boot/cd/cdboot.c has words for them.
 */
enum image_result {
	IMAGE_OK = 0,
	IMAGE_NO_BOOT_RECORD = 0x0100 | STATUS_BAD_MEDIA,
	IMAGE_BAD_CATALOG = 0x0200 | STATUS_BAD_MEDIA,
	IMAGE_BAD_CHECKSUM = 0x0300 | STATUS_BAD_MEDIA,
	IMAGE_NO_ENTRY = 0x0400 | STATUS_BAD_MEDIA,
	IMAGE_BAD_TYPE = 0x0500 | STATUS_BAD_COMMAND,
	IMAGE_BEYOND_DISC = 0x0600 | STATUS_NOT_FOUND,
	IMAGE_NO_COUNT = 0x0700 | STATUS_BAD_COMMAND,
	IMAGE_NO_ROOM = 0x0800 | STATUS_DMA_BOUNDARY,
	IMAGE_NO_BOOT_SECTOR = 0x0900 | STATUS_BAD_MEDIA,
	IMAGE_NO_PARTITION = 0x0a00 | STATUS_BAD_MEDIA,
	IMAGE_STATUS = 0xff, /* what of it is an INT 13h status */
};
#define IMAGE_REASON_SHIFT 8

#define IMAGE_SECTOR_SPLIT 2 /* a block of a CD has 4 sectors */

/* Media type [El Torito 1.0 "Boot media type"] */
#define MEDIA_TYPE 0x0f
#define MEDIA_NO_EMULATION 0
/* 1 to 3: floppies of 1.2, 1.44 and 2.88 MB */
#define MEDIA_HARD_DISK 4

/* ---- catalog.c ---------------------------------------------------------- */

#define MOST_IMAGES 9

struct catalog_place {
	u32 lba;    /* of the catalog */
	u32 number; /* of an entry of 32 bytes in it */
	u32 at;	    /* out: its offset from FS */
};

/* Offsets in an entry */
#define ENTRY_ID 0	/* byte */
#define ENTRY_MEDIA 1	/* byte; platform in a header */
#define ENTRY_SEGMENT 2 /* word; number of entries in a header */
#define ENTRY_NAME 4	/* 28 bytes, in a header */
#define ENTRY_COUNT 6	/* word: sectors of 512 bytes */
#define ENTRY_LBA 8	/* dword */

/* Where the bootable images for this kind of machine are in the catalog, as
 * numbers of entries; the default entry, if it is one of them, is first.
 */
struct catalog {
	u32 lba;
	u8 images;
	u8 entry[MOST_IMAGES];
	u8 header[MOST_IMAGES]; /* of the section; 0 for the default entry */
};

/* Find the boot catalog of the CD. */
enum image_result catalog_find(const struct int13_call *call, u32 *lba);

/* Read it: at least one image if the result is IMAGE_OK. */
enum image_result catalog_read(const struct int13_call *call, u32 lba,
			       struct catalog *catalog);

/* Have an entry of it at FS:*at. */
enum int13_status catalog_open(const struct int13_call *call,
			       struct catalog_place *place);

/* ---- part.c ------------------------------------------------------------- */

/* Does the piece, which is of the image, come from the block buffer? Parts of
 * a disc's block do, where it stays for the next of them; but only to memory
 * that the CPU surely reaches.
 */
bool image_wants_part(const struct int13_call *call, const struct piece *piece);

/* Copy it. piece->job.blocks.lba is its block. */
enum int13_status image_copy_part(const struct int13_call *call,
				  struct piece *piece);

/* ---- image.c ------------------------------------------------------------ */

/* Have a block of the CD in the block buffer, and FS point at it. One that is
 * there already is not read again.
 */
enum int13_status image_load(const struct int13_call *call, u32 block);

/* The same with the caller's memory for the job: our stack is small. */
enum int13_status image_load_by(const struct int13_call *call, u32 block,
				struct disk_job *job);

/* The emulated drive: the CD's state with the image's size. Returns view. */
struct disk *image_view(const struct int13_state *state, struct disk *view);

/* Is it still, or again, in the drive? */
enum int13_status image_check(const struct int13_call *call);

/* Load an image of call->disk, which is a CD, and begin its emulation if it
 * wants one; one that was going on ends. If that cannot be done, nothing has
 * changed.
 */
struct image_boot {
	struct image image; /* in: lba, media, load_segment, count */
	u32 stack;	    /* in: linear address of one that must stay, or 0 */
	u32 entry;	    /* out: where to go, a far address, ... */
	u8 number; /* in: the emulated drive; out: ... with this in DL */
};
enum image_result image_boot(const struct int13_call *call,
			     struct image_boot *boot);

/* What AH=08h says of an emulated floppy besides its geometry. */
void image_floppy_parameters(const struct int13_call *call);

/* All drives have their own numbers again; nothing if they have. */
void image_end_emulation(struct int13_state *state);

int13_handler image_4a_emulate, image_4b_terminate, image_4c_boot,
	image_4d_catalog;

#endif
