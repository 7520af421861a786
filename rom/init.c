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
#include "pc/bda.h"
#include "pc/fwcfg.h"
#include "pc/console.h"
#include "pc/far.h"
#include "pc/pci.h"
#include "pc/phys.h"
#include "pc/pmm.h"
#include "pc/pnp.h"
#include "units.h"
#include "workspace.h"

#define WORKSPACE_KIB (WORKSPACE_BYTES / 1024)

extern const char rom_int19[]; /* entry.S */

u32 init_locate(u32 ax);
u32 init_main(u32 unused);
u32 init_finish(u32 units, u32 workspace_segment);

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

/* The image that stays, and our RAM */
struct memory {
	u16 image;
	u16 image_kib; /* of a copy; 0 if it is the ROM */
	u16 workspace;
};

static void give_back(const struct memory *memory)
{
	if (memory->workspace)
		memory_give_back(memory->workspace, WORKSPACE_KIB);
	if (memory->image_kib)
		memory_give_back(memory->image, memory->image_kib);
}

/* Can we rely on it that the BIOS calls boot entries? SeaBIOS does and does
 * not say so, Bochs says so and does not; but any BIOS of the age of boot
 * entries has PMM.
 */
static bool bios_has_bbs(void)
{
	return pmm_present() && pnp_bbs();
}

/* Where the BIOS does not call into the image itself, a copy of it in RAM will
 * do (an EPROM, or a BIOS that does not shadow ROMs).
 */
static bool copy_image(struct memory *memory)
{
	u32 bytes = image_most_bytes();
	u16 kib = (u16)((bytes + 1023) / 1024);

	memory->image = memory_take(kib, true);
	if (!memory->image)
		return false;
	memory->image_kib = kib;
	far_copy(linear_of(memory->image, 0), linear_of(rom_segment(), 0),
		 bytes);
	return true;
}

/* Null, or the reason why not */
static const char IN_ROM *take_memory(struct memory *memory)
{
	memory->image = rom_segment();
	if (!image_set_workspace(memory->image, rom_segment())) {
		if (bios_has_bbs())
			return ROM_STRING("the ROM image is read-only");
		if (!copy_image(memory))
			return ROM_STRING("no memory for a copy of the ROM");
	}
	memory->workspace = memory_take(WORKSPACE_KIB, true);
	if (!memory->workspace)
		return ROM_STRING("no memory");
	image_set_workspace(memory->image, memory->workspace);
	far_open(memory->workspace);
	for (u32 i = 0; i < WORKSPACE_BYTES; i += 4)
		FAR32(i) = 0;
	return NULL;
}

#define FIELD(member) (STACK_BYTES + offsetof(struct workspace, member))

/* Step 1, on the BIOS's stack, which has room for PCI BIOS calls. In: AX as
 * the BIOS passed it. Returns the workspace's segment, 0 if there is nothing
 * to do.
 */
u32 init_locate(u32 ax)
{
	const char IN_ROM *failure = ROM_STRING("no 53C8xx controller");
	struct memory memory = {0};
	u16 pci_address;

	if (find_controller((u16)ax, &pci_address))
		failure = take_memory(&memory);
	if (failure) {
		give_back(&memory);
		banner_begin();
		banner_end(failure);
		image_set_workspace(rom_segment(), 0);
		image_shrink(rom_segment(), 0, false);
		return 0;
	}
	u32 chip = (u32)chip_at(pci_address);
	u16 io = enable_controller(pci_address);
	bool fwcfg = fwcfg_present();
	far_open(memory.workspace);
	FAR16(FIELD(int13.pci_address)) = pci_address;
	FAR16(FIELD(post.io)) = io;
	FAR32(FIELD(post.chip)) = chip;
	FAR8(FIELD(post.fwcfg)) = fwcfg;
	FAR16(FIELD(post.image)) = memory.image;
	FAR8(FIELD(post.image_kib)) = (u8)memory.image_kib;
	return memory.workspace;
}

/* ---- The units ---------------------------------------------------------- */

static struct scsi_bus *bus(void)
{
	return &workspace.int13.bus;
}

/* Link the boot entries: by the host's order, the rest by ID and LUN. */
static void order_entries(u16 pci_address)
{
	struct int13_state *state = &workspace.int13;
	u8 rank[MOST_DISKS] = {0}, order[MOST_DISKS] = {0};

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
	workspace.cd_leads = rank[order[0]] == 0 &&
			     state->disk[order[0]].flags & DISK_CD;
	image_link_entries(workspace.post.image, order, state->disks);
}

/* Step 2, on our stack. Returns the number of units. */
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
	workspace.int13.emulated = NOT_EMULATED;
	bool quiet = units_scan();
	banner_count(workspace.int13.disks - workspace.post.cds,
		     workspace.post.cds, !quiet);
	if (workspace.int13.disks)
		order_entries(pci_address);
	if (workspace_canary != STACK_CANARY) {
		banner_begin();
		banner_end(ROM_STRING("stack overflow, disks not used"));
		return 0;
	}
	return workspace.int13.disks;
}

/* A BIOS that ignores boot entries still calls INT 19h, and then we see that
 * it did. One that knows them takes the vector back, as SeaBIOS does, or finds
 * us doing nothing there.
 */
static void hook_int19(const struct memory *memory)
{
	bda_open();
	u32 previous = FAR32(IVT_INT19);
	FAR32(IVT_INT19) = (u32)memory->image << 16 | (u32)rom_int19;
	far_open(memory->workspace);
	FAR32(FIELD(previous_int19)) = previous;
}

/* Step 3, on the BIOS's stack again. Returns the number of units. */
u32 init_finish(u32 units, u32 workspace_segment)
{
	far_open((u16)workspace_segment);
	struct memory memory = {
		.image = FAR16(FIELD(post.image)),
		.image_kib = FAR8(FIELD(post.image_kib)),
		.workspace = (u16)workspace_segment,
	};
	bool cds = FAR8(FIELD(post.cds));

	FAR32(FIELD(previous_int18)) = 0; /* which post has shared */
	if (!units) {
		give_back(&memory);
		memory.image = rom_segment();
		image_set_workspace(memory.image, 0);
	} else if (!bios_has_bbs()) {
		hook_int19(&memory);
	}
	image_shrink(memory.image, units, cds);
	return units;
}
