/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The first step of POST, on the BIOS's stack: choose the controller, the
 * place of the resident ROM image, and our RAM. This file and init.c are the
 * only ones that use all layers.
 */
#include "banner.h"
#include "copies.h"
#include "rom/layout.h"
#include "rom_image.h"
#include "memory.h"
#include "pc/far.h"
#include "pc/post/fwcfg.h"
#include "pc/post/pci.h"
#include "pc/phys.h"
#include "rom/workspace.h"
#include "state.h"

#define SEABIOS_DEVICE 0x0012

/* Subsystem of QEMU's models: the device number of LSI's boards with vendor
 * 0. Real boards have a vendor, old chips have neither.
 */
#define QEMU_MODEL 0x10000000

/* What unpack_entry.S has pushed: the registers that the BIOS passed to init */
struct init_stack {
	u16 rom; /* segment of the file */
	u16 pmm;
	u16 gs, fs, es, ds;
	u32 edi, esi, ebp, esp, ebx, edx, ecx, eax; /* PUSHAL */
};

u32 init_locate(const struct init_stack *passed);

/* ---- The controller ---------------------------------------------------- */

struct controller {
	u16 pci_address;
	const struct lsi_chip __seg_gs *chip;
};

static bool identify(u16 pci_address, struct controller *controller)
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
static bool is_served(u16 place, u16 pci_address)
{
	return pci_read32(pci_address, PCI_COMMAND) & PCI_COMMAND_MASTER &&
	       copies_serve(place, pci_address);
}

/* Find the first controller that no copy of this ROM serves. */
static bool find_free(u16 place, u32 last_bus, struct controller *controller)
{
	for (u32 at = 0; at < (last_bus + 1) << 8; at++)
		if (pci_has_function((u16)at) && identify((u16)at, controller) &&
		    controller->chip->features != CHIP_REFUSED &&
		    !is_served(place, (u16)at))
			return true;
	controller->chip = NULL;
	return false;
}

/* Find the controller to serve: the one at address AX, or else the first free
 * one. AX is an address only on a PCI BIOS, and not for a ROM that was loaded
 * from another source than the controller. Returns null, or the reason why
 * there is none.
 */
static char IN_ROM *find_controller(u16 ax, u16 place,
					  struct controller *controller)
{
	u32 last_bus;

	controller->chip = NULL;
	bool pci = pci_version(&last_bus);
	if (pci && identify(ax, controller)) {
		if (controller->chip->features == CHIP_REFUSED)
			return ROM_STRING(" is not supported");
		return is_served(place, ax)
			       ? ROM_STRING(" is served by another copy")
			       : NULL;
	}
	return pci && find_free(place, last_bus, controller)
		       ? NULL
		       : ROM_STRING("no 53C8xx controller");
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

/* Enable I/O, memory and bus mastering of the controller. Returns the I/O
 * address of its operating registers, 0 if the BIOS has assigned none.
 */
static NOT_INLINE u16 enable(u16 pci_address)
{
	u32 bar = pci_read32(pci_address, PCI_BAR0);
	u32 command = pci_read32(pci_address, PCI_COMMAND);

	if (!(bar & PCI_BAR_IS_IO) || bar < 4 || bar > 0xffff)
		return 0;
	pci_write16(pci_address, PCI_COMMAND,
		    (u16)(command | PCI_COMMAND_IO | PCI_COMMAND_MEMORY |
			  PCI_COMMAND_MASTER));
	return (u16)(bar & ~3u);
}

/* ---- Memory ------------------------------------------------------------ */

/* Choose the place of the resident ROM image: that of the file. A PCI BIOS
 * version 3 may run init elsewhere and pass the final segment in BX [PCI 3.0
 * firmware "Run-time segment"]; older BIOSes do not define BX.
 */
static u16 choose_place(u16 rom, u16 bx)
{
	u32 last_bus, paragraphs = rom_image_most_bytes() / 16 + 1;

	far_open(rom);
	u32 rom_paragraphs = FAR8(ROM_BLOCKS) * (ROM_BLOCK_BYTES / 16u);
	if (pci_version(&last_bus) < 0x300 || bx < FIRST_ROM_SEGMENT ||
	    bx + paragraphs > 0x10000 ||
	    (bx + paragraphs > rom && rom + rom_paragraphs > bx))
		return rom;
	return rom_image_fits_into(bx) ? bx : rom;
}

/* Allocate a place in RAM for the resident ROM image, for a ROM that cannot be
 * written: an EPROM, or a BIOS that does not shadow ROMs.
 */
static bool take_place(struct memory *memory)
{
	u16 kib = (u16)((rom_image_most_bytes() + 1023) / 1024);
	u16 segment = memory_take(kib, true);

	if (!segment)
		return false;
	memory->place = segment;
	memory->place_kib = kib;
	return true;
}

/* Allocate the workspace, and a place in RAM if the ROM cannot be written. A
 * BIOS that calls boot entries reads them in the ROM's own place, so a copy
 * is of no use there. Returns null, or the reason for the failure.
 */
static char IN_ROM *take_memory(struct memory *memory)
{
	if (!rom_image_fits_into(memory->place)) {
		if (post.bios == PNP_CALLS_ENTRIES)
			return ROM_STRING(": ROM is read-only, enable shadowing");
		if (!take_place(memory))
			return ROM_STRING(": no memory for a copy of the ROM");
	}
	memory->workspace = memory_take(WORKSPACE_KIB, true);
	if (!memory->workspace)
		return ROM_STRING(": no memory below 1 MiB");
	far_open(memory->workspace);
	for (u32 i = 0; i < WORKSPACE_BYTES; i += 4)
		FAR32(i) = 0;
	return NULL;
}

/* ---- Step 1 ------------------------------------------------------------- */

/* Called by init_entry.S on the BIOS's stack, which has room for PCI BIOS
 * and PnP calls. Returns the segment of the workspace, 0 if there is nothing to
 * do. Moves FS.
 */
u32 init_locate(const struct init_stack *passed)
{
	struct memory memory = {
		.place = choose_place(passed->rom, (u16)passed->ebx)};
	struct controller controller;
	u8 IN_ROM *switches = post.switches;
	char IN_ROM *failure = find_controller((u16)passed->eax, memory.place,
					       &controller);
	bool fwcfg = fwcfg_present();
	u8 features = controller.chip ? controller.chip->features : CHIP_WIDE;

	post.bios = pnp_boot_entries(passed->es, (u16)passed->edi);
	switches_read(post.switches, fwcfg, features & CHIP_WIDE ? 15 : 7);
	if (fwcfg && !failure)
		host_find_path(controller.pci_address, &post.path);
	if (!failure && fwcfg && !switches[SWITCH_TAKE_OVER] &&
	    bios_has_driver(&controller))
		failure = ROM_STRING(": used by the BIOS, set take-over to 1");
	if (!failure && memory.place < FIRST_ROM_SEGMENT)
		failure = ROM_STRING(": no place for the ROM from the BIOS");
	if (!failure)
		failure = take_memory(&memory);
	if (failure) {
		memory_leave(&memory);
		if (!switches[SWITCH_BANNER])
			return 0;
		banner_begin();
		if (controller.chip)
			banner_chip(controller.chip, controller.pci_address);
		banner_end(failure);
		return 0;
	}
	rom_image_set_owner(memory.workspace, controller.pci_address);
	post.io = enable(controller.pci_address);
	post.chip = controller.chip;
	post.fwcfg = fwcfg;
	post.emulated = fwcfg && pci_read32(controller.pci_address,
					    PCI_SUBSYSTEM) == QEMU_MODEL;
	post.place = memory.place;
	post.place_kib = (u8)memory.place_kib;
	far_open(memory.workspace);
	FAR16(FIELD(int13.pci_address)) = controller.pci_address;
	return memory.workspace;
}
