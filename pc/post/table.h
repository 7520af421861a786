/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Finds tables that describe services of the BIOS. Such a table lies on a
 * paragraph boundary from E0000h to FFFFFh and has a signature, a length
 * byte, and a sum of 0.
 */
#ifndef PC_TABLE_H
#define PC_TABLE_H

#include "pc/types.h"

/* Point FS at the table with that signature and a length of at least
 * `least_bytes`. False if there is none. Moves FS.
 */
bool table_open(u32 signature, u32 least_bytes);

#endif
