/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * POST: selects the units on the bus that become drives.
 */
#ifndef ROM_UNITS_H
#define ROM_UNITS_H

#include "pc/types.h"

/* Examine all IDs and LUNs, put disks and CD drives into the table and write
 * their boot entries. Prints a line for each unit that exists but cannot be
 * used, and for each CD drive with an unusable disc; with the switch
 * `verbose`, for every unit. False if a line was printed. Moves FS.
 */
bool units_scan(void);

/* Free the block buffer, unless a drive in the table needs it after POST. No memory must
 * have been taken since units_scan(). Moves FS.
 */
void units_free_buffer(void);

#endif
