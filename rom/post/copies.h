/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Other copies of this ROM: each controller has a copy of its own, but not
 * every BIOS passes the address of the controller that is meant.
 */
#ifndef ROM_COPIES_H
#define ROM_COPIES_H

#include "pc/types.h"

/* Is there a copy for the controller at that PCI address? `place` is where we
 * stay ourselves. It may also be what is left of one from an earlier boot.
 * Moves FS.
 */
bool copies_serve(u16 place, u16 pci_address);

#endif
