/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Tables that list the services of a BIOS: a signature on a paragraph of
 * E0000h to FFFFFh, a length byte, and a sum of 0.
 */
#ifndef PC_TABLE_H
#define PC_TABLE_H

#include "pc/types.h"

/* Point FS at the table, which has at least so many bytes. False if there is
 * none. Moves FS.
 */
bool table_open(u32 signature, u32 least_bytes);

#endif
