/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Detects properties of the BIOS through its Plug and Play entry point.
 */
#ifndef PC_PNP_H
#define PC_PNP_H

#include "pc/types.h"

/* Is it certain that the BIOS calls boot entries, as the BIOS boot specification
 * requires? Moves FS.
 */
bool pnp_calls_boot_entries(void);

#endif
