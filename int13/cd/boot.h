/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Booting a CD's image [El Torito 1.0].
 */
#ifndef INT13_CD_BOOT_H
#define INT13_CD_BOOT_H

#include "cd.h"

struct cd_boot {
	struct boot_image image; /* in: lba, media, load_segment, count */
	u32 stack;	    /* in: linear address of one that must stay, or 0 */
	u32 entry;	    /* out: where to go, a far address, ... */
	u8 number; /* in: the emulated drive; out: ... with this in DL */
};

/* Check that boot->image can be booted (`boots`) or emulated from call->disk,
 * a CD, and fill in the rest of it. Moves FS.
 */
enum cd_result cd_boot_find(const struct int13_call *call,
			    struct cd_boot *boot, bool boots);

/* Load the image and begin its emulation if its media type asks for one; an
 * emulation that was under way ends. On failure nothing has changed. Moves FS.
 */
enum cd_result cd_boot_image(const struct int13_call *call,
			     struct cd_boot *boot);

#endif
