/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Boots or emulates a boot image of a CD [El Torito 1.0].
 */
#ifndef INT13_CD_BOOT_H
#define INT13_CD_BOOT_H

#include "cd.h"

struct cd_boot {
	struct boot_image image; /* in: lba, media, load_segment, count */
	u32 stack;	    /* in: linear address of a stack not to load over, or 0 */
	u32 entry;	    /* out: far address to start the boot image at */
	u8 number; /* in: number for the emulated drive; out: DL at entry */
};

/* Check that boot->image can be booted or emulated from the CD call->disk, and
 * fill in the rest of boot->image. CD_OK, a CD_... reason, or
 * the INT 13h status of a failed read. Moves FS.
 */
enum cd_result cd_boot_check(const struct int13_call *call,
			     struct cd_boot *boot);

/* Load the boot image and start its emulation if its media type requires one. An
 * earlier emulation ends. Returns what cd_boot_check() returns, CD_NO_COUNT or
 * CD_NO_ROOM; on failure the drives are unchanged. Moves FS.
 */
enum cd_result cd_boot_image(const struct int13_call *call,
			     struct cd_boot *boot);

#endif
