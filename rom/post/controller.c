/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * A controller has one driver: other copies of this ROM, SeaBIOS and other
 * ROMs may serve it already. Runs on the BIOS's stack, which has room for PCI
 * BIOS calls.
 */
#include "controller.h"

#include "banner.h"
#include "copies.h"
#include "foreign.h"
#include "keys.h"
#include "pc/post/pci.h"
#include "state.h"

#define SEABIOS_DEVICE 0x0012
#define TAKE_OVER_KEY 'T'

bool controller_identify(struct controller *controller, u16 pci_address)
{
	u32 id = pci_read32(pci_address, PCI_ID);

	controller->pci_address = pci_address;
	controller->chip =
		(id & 0xffff) == LSI_PCI_VENDOR
			? lsi_chip_find((u16)(id >> 16),
					(u8)pci_read32(pci_address,
						       PCI_REVISION))
			: NULL;
	return controller->chip;
}

/* A copy of this ROM that serves the controller has turned bus mastering on.
 * If it is off, the copy in memory is a remnant of an earlier boot.
 */
static bool is_served(u16 pci_address)
{
	return pci_read32(pci_address, PCI_COMMAND) & PCI_COMMAND_MASTER &&
	       copies_serve(post.place, pci_address);
}

/* Find the first controller from that PCI address on that no copy of this ROM
 * serves. Sets *served if one was skipped because of that.
 */
static bool find_free(struct controller *controller, u32 from, bool *served)
{
	u32 last_bus;

	if (pci_version(&last_bus))
		for (; from < (last_bus + 1) << 8; from++) {
			if (!pci_has_function((u16)from) ||
			    !controller_identify(controller, (u16)from) ||
			    controller->chip->features == CHIP_REFUSED)
				continue;
			if (!is_served((u16)from))
				return true;
			*served = true;
		}
	controller->chip = NULL;
	return false;
}

/* SeaBIOS has a driver for one of our chips. If the ROM was not loaded from
 * the controller, this driver has run before it. Bus mastering shows that:
 * the driver turns it on, SeaBIOS's set-up of PCI devices does not.
 */
static bool bios_has_driver(const struct controller *controller)
{
	return controller->chip->device == SEABIOS_DEVICE &&
	       post.bios == PNP_CALLS_ENTRIES &&
	       pci_read32(controller->pci_address, PCI_COMMAND) &
		       PCI_COMMAND_MASTER;
}

/* Returns null if the controller is ours to serve, else the reason. */
static char IN_ROM *refusal(const struct controller *controller, u32 *number)
{
	if (controller->chip->features == CHIP_REFUSED)
		return ROM_STRING(" is not supported");
	if (post.named && is_served(controller->pci_address))
		return ROM_STRING(" is served by another copy");
	if (post.switches[SWITCH_TAKE_OVER])
		return NULL;
	if (post.fwcfg && bios_has_driver(controller))
		return ROM_STRING(": used by the BIOS, set take-over to 1");
	*number = foreign_driver(controller->pci_address, controller->chip);
	if (*number && !keys_take(TAKE_OVER_KEY))
		return ROM_STRING(": in use by the ROM at $h (T: take over)");
	return NULL;
}

void controller_report(const struct controller *controller,
		       char IN_ROM *why, u32 number)
{
	if (!post.switches[SWITCH_BANNER])
		return;
	banner_begin();
	if (controller->chip)
		banner_chip(controller->chip, controller->pci_address);
	banner_reason(why, number);
	banner_end(ROM_STRING(""));
}

static bool may_serve(const struct controller *controller)
{
	u32 number = 0;

	switches_read(post.switches, post.fwcfg,
		      controller->chip->features & CHIP_WIDE ? 15 : 7);
	char IN_ROM *why = refusal(controller, &number);
	if (why)
		controller_report(controller, why, number);
	return !why;
}

bool controller_find(struct controller *controller, u32 from)
{
	bool served = false, tried = from != 0;

	if (post.named)
		return may_serve(controller);
	while (find_free(controller, from, &served)) {
		if (may_serve(controller))
			return true;
		from = controller->pci_address + 1u;
		tried = true;
	}
	if (tried) /* there is a line for it */
		return false;
	switches_read(post.switches, post.fwcfg, 15);
	controller_report(controller,
			  served ? ROM_STRING("all 53C8xx controllers are served")
				 : ROM_STRING("no 53C8xx controller"),
			  0);
	return false;
}
