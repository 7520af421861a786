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
#include "switches.h"

#define SEABIOS_DEVICE 0x0012
#define TAKE_OVER_KEY 'T'

/* Subsystem of QEMU's models: the device number of LSI's boards with vendor
 * 0. Real boards have a vendor, old chips have neither.
 */
#define QEMU_MODEL 0x10000000

/* The boot order of controllers, as stored; all entries are empty if none is */
static struct symbios_host __seg_gs order[SETTINGS_HOSTS]
	__attribute__((section(".post.order"))) = {{0}};

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
static bool is_master(u16 pci_address)
{
	return pci_read32(pci_address, PCI_COMMAND) & PCI_COMMAND_MASTER;
}

static bool is_served(u16 pci_address)
{
	return is_master(pci_address) && copies_serve(post.place, pci_address);
}

bool controller_is_first(void)
{
	u16 other;

	return !copies_exist(post.place, &other) || !is_master(other);
}

/* The bytes are volatile because gcc 12 combines both reads to one that has lost its
 * segment.
 */
static u16 address_in(IN_ROM struct symbios_host *host)
{
	const volatile u8 __seg_gs *bus = &host->bus;

	return (u16)(bus[0] << 8 | bus[1]);
}

IN_ROM struct symbios_host *controller_in_order(const struct controller *controller)
{
	for (u32 i = 0; i < SETTINGS_HOSTS; i++) {
		IN_ROM struct symbios_host *host = &order[i];
		if (host->type == SYMBIOS_HOST_8XX &&
		    host->vendor == LSI_PCI_VENDOR &&
		    host->device == controller->chip->device &&
		    address_in(host) == controller->pci_address)
			return host;
	}
	return NULL;
}

/* Identify a candidate: first those of the boot order, then all others by PCI address.
 * False if there is no controller that we may serve, or if it has another place.
 */
static bool identify_candidate(struct controller *controller, u32 number)
{
	IN_ROM struct symbios_host *host =
		number < SETTINGS_HOSTS ? &order[number] : NULL;
	u16 pci_address = host ? address_in(host)
			       : (u16)(number - SETTINGS_HOSTS);

	return pci_has_function(pci_address) &&
	       controller_identify(controller, pci_address) &&
	       controller->chip->features != CHIP_REFUSED &&
	       controller_in_order(controller) == host;
}

/* Find the next controller that no copy of this ROM serves. Sets *served if one was
 * skipped because of that.
 */
static bool find_free(struct controller *controller, bool *served)
{
	u32 last_bus;

	if (pci_version(&last_bus))
		while (post.next < SETTINGS_HOSTS + ((last_bus + 1) << 8)) {
			if (!identify_candidate(controller, post.next++))
				continue;
			if (!is_served(controller->pci_address))
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
	if (post.switches[SWITCH_TAKE_OVER] == 1)
		return NULL;
	if (post.fwcfg && bios_has_driver(controller))
		return ROM_STRING(": used by the BIOS, set take-over to 1");
	*number = foreign_driver(controller->pci_address, controller->chip);
	if (*number && !keys_take(TAKE_OVER_KEY))
		return ROM_STRING(": in use by the ROM at $h (T: take over)");
	return NULL;
}

bool controller_is_foreign(const struct controller *controller)
{
	u32 number;

	return refusal(controller, &number) != NULL;
}

u16 controller_enable(u16 pci_address)
{
	u16 io = pci_io_base(pci_address);
	u32 command = pci_read32(pci_address, PCI_COMMAND);

	if (io)
		pci_write16(pci_address, PCI_COMMAND,
			    (u16)(command | PCI_COMMAND_IO |
				  PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER));
	return io;
}

bool controller_is_emulated(u16 pci_address)
{
	return post.fwcfg &&
	       pci_read32(pci_address, PCI_SUBSYSTEM) == QEMU_MODEL;
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
	if (post.looking_for_order)
		return !foreign_driver(controller->pci_address,
				       controller->chip);
	char IN_ROM *why = refusal(controller, &number);
	if (why)
		controller_report(controller, why, number);
	post.visited = true;
	return !why;
}

/* Begin the search again, for the controller to serve. False if that was its aim before. */
static bool look_for_controller(void)
{
	bool looked_for_order = post.looking_for_order;

	post.looking_for_order = false;
	post.next = 0;
	return looked_for_order;
}

void controller_set_order(void)
{
	for (u32 i = 0; i < SETTINGS_HOSTS; i++)
		order[i] = settings.card.hosts[i];
	(void)look_for_controller(); /* it may have begun already */
}

bool controller_find(struct controller *controller)
{
	bool served = false;

	if (post.named)
		return may_serve(controller);
	do {
		while (find_free(controller, &served))
			if (may_serve(controller))
				return true;
	} while (look_for_controller());
	if (post.visited) /* there is a line for it */
		return false;
	switches_read(post.switches, post.fwcfg, 15);
	controller_report(controller,
			  served ? ROM_STRING("all 53C8xx controllers are served")
				 : ROM_STRING("no 53C8xx controller"),
			  0);
	return false;
}
