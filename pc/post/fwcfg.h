/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * QEMU's firmware configuration device, read only where QEMU is.
 */
#ifndef PC_FWCFG_H
#define PC_FWCFG_H

#include "pc/types.h"

/* Is this QEMU? Moves FS. */
bool fwcfg_present(void);

struct fwcfg_file {
	u32 bytes;
	u16 key; /* 0: there is no such file */
};

struct fwcfg_wanted {
	char IN_ROM *name;
	struct fwcfg_file file; /* out */
};

/* Look for several files of a folder, where fwcfg_present(). All at once: the
 * directory is some 2 KB, a port access for each byte.
 */
void fwcfg_find(char IN_ROM *folder, struct fwcfg_wanted *wanted,
		u32 count);

/* Select a file for reading from its start. Returns how many bytes it has. */
u32 fwcfg_open(const struct fwcfg_file *file);

/* The next byte of the selected file. */
u8 fwcfg_byte(void);

#endif
