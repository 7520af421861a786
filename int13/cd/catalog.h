/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The boot catalog of a CD [El Torito 1.0 "Booting catalog"].
 */
#ifndef INT13_CD_CATALOG_H
#define INT13_CD_CATALOG_H

#include "cd.h"

#define MOST_BOOT_IMAGES 9

struct catalog_place {
	u32 lba;    /* first block of the catalog */
	u32 number; /* of an entry; each has 32 bytes */
	u32 at;	    /* out: offset of the entry in FS */
};

/* Offsets in an entry */
#define ENTRY_ID 0	/* byte */
#define ENTRY_MEDIA 1	/* byte; platform in a header */
#define ENTRY_SEGMENT 2 /* word; number of entries in a header */
#define ENTRY_NAME 4	/* 28 bytes, in a header */
#define ENTRY_COUNT 6	/* word: sectors of 512 bytes */
#define ENTRY_LBA 8	/* dword */

/* The boot images for a PC, as entry numbers in the catalog. The default
 * entry is the first if it is one of them.
 */
struct catalog {
	u32 lba;
	u8 boot_images;
	u8 entry[MOST_BOOT_IMAGES];
	u8 header[MOST_BOOT_IMAGES]; /* of the section; 0: default entry */
};

/* First block of the last session of the disc in call->disk, which must be measured; 0
 * if it has only one, or if that is unknown.
 */
u32 catalog_last_session(const struct int13_call *call);

/* Find the boot catalog of the session that begins at that block. *lba is the first
 * block of the catalog. CD_NO_BOOT_RECORD if there is none, or the status of a failed
 * read. Moves FS.
 */
enum cd_result catalog_find(const struct int13_call *call, u32 session,
			    u32 *lba);

/* List the boot images of the catalog at `lba`, at least one with CD_OK. Else
 * CD_BAD_CATALOG, CD_BAD_CHECKSUM, CD_NO_ENTRY, or the status of a failed read.
 * Moves FS.
 */
enum cd_result catalog_read(const struct int13_call *call, u32 lba,
			       struct catalog *catalog);

/* Point FS at the block with an entry of the catalog; place->at is the entry's
 * offset. Returns the status of the read. Moves FS.
 */
enum int13_status catalog_open(const struct int13_call *call,
			       struct catalog_place *place);

#endif
