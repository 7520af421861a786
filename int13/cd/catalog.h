/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The boot catalog of a CD [El Torito 1.0 "Booting catalog"].
 */
#ifndef INT13_CD_CATALOG_H
#define INT13_CD_CATALOG_H

#include "cd.h"

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
enum cd_result catalog_find(const struct int13_call *call, u32 *lba);

/* Read it: at least one image if the result is CD_OK. */
enum cd_result catalog_read(const struct int13_call *call, u32 lba,
			       struct catalog *catalog);

/* Have an entry of it at FS:*at. */
enum int13_status catalog_open(const struct int13_call *call,
			       struct catalog_place *place);

#endif
