/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * POST: selects the units of the bus that become drives.
 */
#ifndef ROM_UNITS_H
#define ROM_UNITS_H

#include "pc/types.h"

/* Examine all IDs and LUNs, put disks and CD drives into the table and write
 * their boot entries. Prints a line for each unit that is there but cannot be
 * used, and for each CD drive whose disc cannot (with the switch `verbose` for
 * each unit); false if there was one. Moves FS.
 */
bool units_scan(void);

#endif
