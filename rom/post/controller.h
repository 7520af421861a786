/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Chooses the controller that this copy of the ROM serves.
 */
#ifndef ROM_CONTROLLER_H
#define ROM_CONTROLLER_H

#include "lsi/chips.h"
#include "rom/workspace.h"

struct controller {
	u16 pci_address;
	IN_ROM struct lsi_chip *chip; /* null: there is no controller */
};

struct controller_search {
	u16 place; /* segment of this copy */
	u32 from; /* the lowest PCI address to try, if the BIOS names none */
	bool named; /* the BIOS has named the controller */
	bool fwcfg; /* fwcfg_present() */
	struct controller controller; /* out, if `named` also in */
	u8 switches[SWITCHES]; /* out, also if there is no controller */
};

/* Begin a search: AX names the controller if it is the PCI address of a chip of
 * the family. It is not on a BIOS that does not know PCI, nor for a ROM that
 * was loaded from another source than the controller. Moves FS.
 */
void controller_named(struct controller_search *search, u16 ax);

/* Find the controller to serve: the named one, or else the first one from
 * `from` on that no other driver serves. False if there is none: the reason
 * is on the screen. Reads the switches. Moves FS.
 */
bool controller_find(struct controller_search *search);

/* Print that this controller, or the ROM if there is none, cannot be used,
 * and why. '$' in `why` stands for `number`. Moves FS.
 */
void controller_report(const struct controller_search *search,
		       char IN_ROM *why, u32 number);

#endif
