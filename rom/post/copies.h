/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Other copies of this ROM. Each controller has its own copy, but not every BIOS
 * passes the address of the controller that a copy belongs to.
 */
#ifndef ROM_COPIES_H
#define ROM_COPIES_H

#include "pc/types.h"

/* Is there a copy in memory for the controller at that PCI address, other
 * than the one at segment `place`, which is ours? It may be a remnant of an
 * earlier boot. Moves FS.
 */
bool copies_serve(u16 place, u16 pci_address);

/* The same for any controller: *pci_address is the address of the first one. Moves FS. */
bool copies_exist(u16 place, u16 *pci_address);

#endif
