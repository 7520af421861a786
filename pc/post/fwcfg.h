/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Reads files from QEMU's firmware configuration device, fw_cfg. Except for
 * fwcfg_present(), use these functions only if fwcfg_present().
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

/* Find files of a folder (a name prefix) in the directory. wanted[].file is
 * the result for each of the `count` names. All names are searched for in one
 * pass because the directory is about 2 KB and each byte costs a port access.
 */
void fwcfg_find(char IN_ROM *folder, struct fwcfg_wanted *wanted,
		u32 count);

/* Select a file for reading from its start. Returns its size in bytes, 0 if
 * there is no such file.
 */
u32 fwcfg_open(const struct fwcfg_file *file);

/* The next byte of the selected file. */
u8 fwcfg_byte(void);

#endif
