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

/* Select a file by name for reading from its start, where fwcfg_present().
 * Returns its size in bytes, 0 if there is no such file.
 */
u32 fwcfg_open(const char IN_ROM *name);

/* The next byte of the selected file. */
u8 fwcfg_byte(void);

#endif
