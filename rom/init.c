/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * POST: find the chip, take memory, scan the bus, prepare the boot entries.
 * The only file that knows all layers. Called by init_entry.S in three steps,
 * because the stack moves: init_locate and init_finish run on the BIOS's
 * stack, init_main on ours.
 */
#include "banner.h"
#include "host.h"
#include "image.h"
#include "image_edit.h"
#include "memory.h"
#include "pc/fwcfg.h"
#include "pc/console.h"
#include "pc/far.h"
#include "pc/pci.h"
#include "pc/phys.h"
#include "units.h"
#include "workspace.h"

#define WORKSPACE_KIB (WORKSPACE_BYTES / 1024)

u32 init_locate(u32 ax);
u32 init_main(u32 unused);
u32 init_finish(u32 disks);

/* ---- The controller ---------------------------------------------------- */

static const struct lsi_chip __seg_gs *chip_at(u16 pci_address)
{
	u32 id = pci_read32(pci_address, PCI_ID);

	return (id & 0xffff) == LSI_PCI_VENDOR ? lsi_chip_find((u16)(id >> 16))
					       : NULL;
}

/* AX is the controller's address only on a PCI BIOS, and not even there for
 * a ROM that did not come from a BAR.
 */
static bool find_controller(u16 ax, u16 *pci_address)
{
	const struct lsi_chip __seg_gs *chip;

	*pci_address = ax;
	if (!pci_present())
		return false;
	if (chip_at(ax))
		return true;
	for (u32 i = 0; (chip = lsi_chip_at(i)); i++)
		if (pci_find((u32)chip->device << 16 | LSI_PCI_VENDOR, 0,
			     pci_address))
			return true;
	return false;
}

/* I/O base of the operating registers with all access enabled; 0 if the BIOS
 * has not given the chip one.
 */
static u16 enable_controller(u16 pci_address)
{
	u32 bar = pci_read32(pci_address, PCI_BAR0);
	u32 command = pci_read32(pci_address, PCI_COMMAND);

	if (!(bar & PCI_BAR_IS_IO) || bar > 0xffff)
		return 0;
	pci_write16(pci_address, PCI_COMMAND,
		    (u16)(command | PCI_COMMAND_IO | PCI_COMMAND_MEMORY |
			  PCI_COMMAND_MASTER));
	return (u16)(bar & ~3u);
}

/* Take the workspace and note it in the image. Returns its segment; null and
 * the reason if that cannot be done.
 */
static u16 take_workspace(const char IN_ROM **failure)
{
	u16 segment = memory_take(WORKSPACE_KIB, true);

	if (!segment) {
		*failure = ROM_STRING("no memory");
		return 0;
	}
	image_set_workspace(segment);
	if (image_workspace() != segment) {
		/* Then INT 13h could not find its memory. */
		*failure = ROM_STRING("the ROM image is read-only");
		memory_give_back(segment, WORKSPACE_KIB);
		return 0;
	}
	far_open(segment);
	for (u32 i = 0; i < WORKSPACE_BYTES; i += 4)
		FAR32(i) = 0;
	return segment;
}

#define FIELD(member) (STACK_BYTES + offsetof(struct workspace, member))

/* Step 1, on the BIOS's stack, which has room for PCI BIOS calls. In: AX as
 * the BIOS passed it. Returns the workspace's segment, 0 if there is nothing
 * to do.
 */
u32 init_locate(u32 ax)
{
	const char IN_ROM *failure = ROM_STRING("no 53C8xx controller");
	u16 pci_address, segment = 0;

	if (find_controller((u16)ax, &pci_address))
		segment = take_workspace(&failure);
	if (!segment) {
		banner_begin();
		banner_end(failure);
		image_shrink(0);
		return 0;
	}
	u32 chip = (u32)chip_at(pci_address);
	u16 io = enable_controller(pci_address);
	bool fwcfg = fwcfg_present();
	far_open(segment);
	FAR16(FIELD(int13.pci_address)) = pci_address;
	FAR16(FIELD(post.io)) = io;
	FAR32(FIELD(post.chip)) = chip;
	FAR8(FIELD(post.fwcfg)) = fwcfg;
	return segment;
}

/* ---- The disks ---------------------------------------------------------- */

static struct scsi_bus *bus(void)
{
	return &workspace.int13.bus;
}

/* Link the boot entries: by the host's order, the rest by ID. */
static void order_entries(u16 pci_address)
{
	struct int13_state *state = &workspace.int13;
	u8 rank[MOST_DISKS], order[MOST_DISKS];

	for (u32 i = 0; i < state->disks; i++) {
		u32 place = i;

		rank[i] = workspace.post.fwcfg
				  ? host_boot_rank(pci_address,
						   state->disk[i].device)
				  : HOST_NO_RANK;
		for (; place && rank[order[place - 1]] > rank[i]; place--)
			order[place] = order[place - 1];
		order[place] = (u8)i;
	}
	image_link_entries(order, state->disks);
}

/* Step 2, on our stack. Returns the number of disks. */
u32 init_main(u32 unused)
{
	const struct lsi_chip __seg_gs *chip = workspace.post.chip;
	u16 pci_address = workspace.int13.pci_address;

	(void)unused;
	workspace_canary = STACK_CANARY;
	phys_identity();
	clock_setup();
	banner_begin();
	banner_chip(chip, pci_address);
	if (!workspace.post.io) {
		banner_end(ROM_STRING(": no I/O address"));
		return 0;
	}
	bus()->hba = &workspace.lsi.hba;
	if (lsi_open(&workspace.lsi, workspace.post.io, chip) != HBA_OK) {
		banner_end(ROM_STRING(": chip or bus does not answer"));
		return 0;
	}
	banner_host_id(workspace.lsi.hba.own_id);
	workspace.int13.native_blocks =
		workspace.post.fwcfg && host_native_blocks();
	bool all_usable = units_scan();
	banner_count(workspace.int13.disks, !all_usable);
	if (workspace.int13.disks)
		order_entries(pci_address);
	if (workspace_canary != STACK_CANARY) {
		banner_begin();
		banner_end(ROM_STRING("stack overflow, disks not used"));
		return 0;
	}
	return workspace.int13.disks;
}

/* Step 3, on the BIOS's stack again. Returns the number of disks. */
u32 init_finish(u32 disks)
{
	if (!disks) {
		memory_give_back(image_workspace(), WORKSPACE_KIB);
		image_set_workspace(0);
	}
	image_shrink(disks);
	return disks;
}
