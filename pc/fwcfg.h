/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * QEMU's firmware configuration device, read only where QEMU is.
 */
#ifndef PC_FWCFG_H
#define PC_FWCFG_H

#include "types.h"

/* Is this QEMU? */
bool fwcfg_present(void);

/* Select a file by folder and name for reading from its start, where
 * fwcfg_present(). False, and 0 bytes, if there is no such file.
 */
bool fwcfg_open(const char IN_ROM *folder, const char IN_ROM *name, u32 *bytes);

/* The next byte of the selected file. */
u8 fwcfg_byte(void);

#endif
