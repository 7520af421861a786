/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Chooses the controller that this copy of the ROM serves.
 */
#ifndef ROM_CONTROLLER_H
#define ROM_CONTROLLER_H

#include "lsi/chips.h"
#include "settings.h"

struct controller {
	u16 pci_address;
	IN_ROM struct lsi_chip *chip; /* null: there is no controller */
};

/* Is there a chip of the family at that PCI address? The address may be any
 * number: AX at init is undefined on a BIOS that does not know PCI, and for a
 * ROM that was loaded from another source than the controller. Moves FS.
 */
bool controller_identify(struct controller *controller, u16 pci_address);

/* Find the controller to serve: if post.named, the one that *controller has, else the
 * next one that no other driver serves: first those of the boot order of controllers, then
 * by PCI address. While post.looking_for_order, its settings are to be read, and it is not
 * to be served. False if there is none: the reason is on the screen. Sets post.switches
 * otherwise. Moves FS.
 */
bool controller_find(struct controller *controller);

/* Take the boot order of controllers from `settings`. The search begins anew. */
void controller_set_order(void);

/* The controller's entry in the boot order, or null */
IN_ROM struct symbios_host *controller_in_order(const struct controller *controller);

/* Does no other copy of this ROM serve a controller? Moves FS. */
bool controller_is_first(void);

/* Does another driver than a copy of this ROM use the controller? Moves FS. */
bool controller_is_foreign(const struct controller *controller);

/* Enable I/O, memory and bus mastering of the controller. Returns the I/O
 * address of its operating registers, 0 if the BIOS has assigned none. Moves FS.
 */
u16 controller_enable(u16 pci_address);

/* Is the controller QEMU's model? Moves FS. */
bool controller_is_emulated(u16 pci_address);

/* Print why this controller, or any if there is none, is not served. '$' in `why` stands for
 * `number`. Moves FS.
 */
void controller_report(const struct controller *controller,
		       char IN_ROM *why, u32 number);

#endif
