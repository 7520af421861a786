/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The first step of POST, on the BIOS's stack: choose the controller, the
 * place of the resident ROM image, and our RAM.
 */
#include "controller.h"
#include "rom/layout.h"
#include "rom_image.h"
#include "memory.h"
#include "pc/bda.h"
#include "pc/far.h"
#include "pc/post/fwcfg.h"
#include "pc/post/pci.h"
#include "pc/phys.h"
#include "rom/workspace.h"
#include "setup/setup.h"
#include "state.h"

/* What unpack_entry.S has pushed: the registers that the BIOS passed to init */
struct init_stack {
	u16 rom; /* segment of the file */
	u16 pmm;
	u16 gs, fs, es, ds;
	u32 edi, esi, ebp, esp, ebx, edx, ecx, eax; /* PUSHAL */
};

u32 init_locate(const struct init_stack *passed);
u32 init_next(u32 workspace);

/* ---- The controller ---------------------------------------------------- */

static void stop_bus_master(u16 pci_address)
{
	u32 command = pci_read32(pci_address, PCI_COMMAND);

	pci_write16(pci_address, PCI_COMMAND,
		    (u16)(command & ~PCI_COMMAND_MASTER));
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
 * is of no use there. The place is the lowest memory, so that a part of it can be
 * given back (install.c). Returns null, or the reason for the failure.
 */
static char IN_ROM *take_memory(struct memory *memory)
{
	bool read_only = !rom_image_fits_into(memory->place);

	if (read_only && post.bios == PNP_CALLS_ENTRIES)
		return ROM_STRING(": ROM is read-only, enable shadowing");
	memory->workspace = memory_take(WORKSPACE_KIB, true);
	if (read_only && (!memory->workspace || !take_place(memory)))
		return ROM_STRING(": no memory for a copy of the ROM");
	return memory->workspace ? NULL
				 : ROM_STRING(": no memory below 1 MiB");
}

/* ---- Step 1 ------------------------------------------------------------- */

/* Enable the controller and set what init_main() needs. */
static void prepare(const struct memory *memory,
		    const struct controller *controller)
{
	u16 pci_address = controller->pci_address;

	if (post.fwcfg)
		host_find_path(pci_address, &post.path,
			       !post.switches[SWITCH_BANNER]);
	rom_image_set_owner(memory->workspace, pci_address);
	post.pci_address = pci_address;
	post.io = controller_enable(pci_address);
	post.irq = (u8)pci_read32(pci_address, PCI_INTERRUPT);
	post.chip = controller->chip;
	post.emulated = controller_is_emulated(pci_address);
	bda_open();
	post.offers_setup = setup_run && FAR8(BDA_KEYBOARD) & BDA_KEYBOARD_101 &&
			    controller_is_first();
	post.setup_wanted = false;
	post.place = memory->place;
	post.place_kib = (u8)memory->place_kib;
	post.buffer_kept = false;
	post.cds = 0;
	post.removable = false;
	far_open(memory->workspace);
	for (u32 i = 0; i < WORKSPACE_KIB * 1024u; i += 4)
		FAR32(i) = 0;
	FAR16(FIELD(int13.pci_address)) = pci_address;
}

static u32 stack_address(const void *on_stack)
{
	u16 segment;

	__asm__("movw %%ss, %0" : "=r"(segment));
	return linear_of(segment, (u16)(u32)on_stack);
}

/* Called by init_entry.S on the BIOS's stack, which has room for PCI BIOS
 * and PnP calls. Returns the segment of the workspace, 0 if there is nothing to
 * do. Moves FS.
 */
u32 init_locate(const struct init_stack *passed)
{
	struct memory memory = {
		.place = choose_place(passed->rom, (u16)passed->ebx)};
	struct controller controller;

	post.bios = pnp_boot_entries(passed->es, (u16)passed->edi);
	post.place = memory.place;
	post.stack = stack_address(passed);
	post.fwcfg = fwcfg_present();
	post.named = controller_identify(&controller, (u16)passed->eax);
	post.looking_for_order = !post.named && !post.fwcfg;
	if (controller_find(&controller)) {
		char IN_ROM *failure =
			memory.place < FIRST_ROM_SEGMENT
				? ROM_STRING(": no place for the ROM from the BIOS")
				: take_memory(&memory);
		if (!failure) {
			prepare(&memory, &controller);
			return memory.workspace;
		}
		controller_report(&controller, failure, 0);
	}
	memory_leave(&memory);
	return 0;
}

/* Called by init_entry.S on the BIOS's stack if step 2 found no units. Returns the
 * segment of the workspace for another controller, 0 if there is none: if the BIOS has
 * not named the controller, the disks may be on any. Moves FS.
 */
u32 init_next(u32 workspace)
{
	struct memory memory = {post.place, post.place_kib, (u16)workspace};
	struct controller controller = {.chip = post.chip};

	stop_bus_master(post.pci_address);
	if (post.named || !controller_find(&controller))
		return 0;
	prepare(&memory, &controller);
	return memory.workspace;
}
