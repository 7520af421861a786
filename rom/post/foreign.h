/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Recognises another driver that serves a controller: SDMS in a board's BIOS or
 * on a card, which has run before us.
 */
#ifndef ROM_FOREIGN_H
#define ROM_FOREIGN_H

#include "lsi/chips.h"

/* The segment of the ROM whose driver serves the controller at that PCI address,
 * 0 if there is none. Changes nothing. Moves FS.
 */
u16 foreign_driver(u16 pci_address, IN_ROM struct lsi_chip *chip);

#endif
