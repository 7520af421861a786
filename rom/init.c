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
#include "scsi/disk.h"
#include "workspace.h"

#define WORKSPACE_KIB (WORKSPACE_BYTES / 1024)
#define SCRATCH_KIB 1 /* for the first sector of a disk */

#define SPIN_UP_PATIENCE_MS 30000

u32 init_locate(u32 ax);
u32 init_main(u32 unused);
u32 init_finish(u32 disks);

/* What is known of a unit that is a usable disk. */
struct found {
	struct scsi_inquiry inquiry;
	u8 raw_capacity[8];
	struct scsi_capacity capacity;
};

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
		if (pci_find(LSI_PCI_VENDOR, chip->device, 0, pci_address))
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

#define POST_FIELD(member) \
	(STACK_BYTES + offsetof(struct workspace, post.member))

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
	FAR16(POST_FIELD(pci_address)) = pci_address;
	FAR16(POST_FIELD(io)) = io;
	FAR32(POST_FIELD(chip)) = chip;
	FAR8(POST_FIELD(fwcfg)) = fwcfg;
	return segment;
}

/* ---- The disks ---------------------------------------------------------- */

static struct scsi_bus *bus(void)
{
	return &workspace.int13.bus;
}

/* Geometry by the host's wish, else by the disk's own partition table. A disk
 * whose first sector cannot be read still gets a drive number: other sectors
 * may be good.
 */
static struct geometry read_geometry(struct scsi_device device, u32 sectors,
				     u16 scratch)
{
	u8 table[MBR_TABLE_BYTES];
	struct geometry geometry;

	if (workspace.post.fwcfg &&
	    host_geometry(workspace.post.pci_address, device, &geometry) &&
	    geometry_fits(&geometry, sectors))
		return geometry;
	if (!scratch || disk_read(bus(), device, 0, 1, SECTOR_BYTES,
				  phys_of_far(scratch, 0)) != SCSI_OK)
		return geometry_choose(sectors, NULL);
	far_open(scratch);
	for (u32 i = 0; i < MBR_TABLE_BYTES; i++)
		table[i] = FAR8(MBR_TABLE_AT + i);
	return geometry_choose(sectors, table);
}

/* Put the disk into the table. */
static void add_disk(struct scsi_device device, const struct found *found,
		     u16 scratch)
{
	struct int13_state *state = &workspace.int13;
	struct disk *disk = &state->disk[state->disks++];

	disk->device = device;
	disk->sectors = found->capacity.blocks;
	disk->geometry = read_geometry(device, disk->sectors, scratch);
}

/* Null if the unit is a disk that we can serve, else why not. */
static const char IN_ROM *examine(struct scsi_device device,
				  struct found *found)
{
	enum scsi_result result =
		disk_ready(bus(), device, SPIN_UP_PATIENCE_MS);

	if (result == SCSI_OK)
		result = scan_capacity(bus(), device, found->raw_capacity,
				       &found->capacity);
	if (result != SCSI_OK)
		return banner_reason(result);
	if (found->capacity.block_bytes != SECTOR_BYTES)
		return ROM_STRING("blocks are not 512 bytes");
	if (workspace.int13.disks == MOST_DISKS)
		return ROM_STRING("one disk too many");
	return NULL;
}

static void prepare_entry(u32 slot, u16 pci_address, struct scsi_device device,
			  const struct found *found)
{
	struct text product = {0}, details = {0};

	banner_product(&product, pci_address, device, &found->inquiry);
	banner_details(&details, &found->inquiry, &found->capacity);
	image_set_entry(slot, &product, &details);
}

enum unit {
	UNIT_FINE, /* a disk of ours now, or none of our business */
	UNIT_UNUSABLE,
	UNIT_HUNG, /* did not even end an INQUIRY */
};

/* One unit. Prints a line if it is there but cannot be used. */
static enum unit scan_unit(struct scsi_device device, u16 pci_address,
			   u16 scratch)
{
	struct found found = {0};
	enum scsi_result result =
		scan_inquiry(bus(), device, &found.inquiry);
	const char IN_ROM *failure;

	if (result == SCSI_NO_TARGET)
		return UNIT_FINE;
	if (result == SCSI_OK && found.inquiry.type != INQUIRY_TYPE_DISK)
		return UNIT_FINE;
	if (result == SCSI_OK)
		failure = examine(device, &found);
	else
		failure = banner_reason(result);
	if (failure) {
		banner_failure(device, &found.inquiry, failure);
		return result == SCSI_TIMEOUT || result == SCSI_BUS_ERROR
			       ? UNIT_HUNG
			       : UNIT_UNUSABLE;
	}
	prepare_entry(workspace.int13.disks, pci_address, device, &found);
	add_disk(device, &found, scratch);
	return UNIT_FINE;
}

/* All units. Returns false if one of them cannot be used. Two in a row that do
 * not even end an INQUIRY mean that it is the bus that hangs: more would only
 * cost time.
 */
static bool scan_bus(u16 pci_address)
{
	const struct hba *hba = bus()->hba;
	u16 scratch = memory_take(SCRATCH_KIB, false);
	bool all_usable = true;
	u32 hung = 0;

	for (u8 id = 0; id <= hba->last_id && hung < 2; id++) {
		struct scsi_device device = {.target = id};

		if (id == hba->own_id)
			continue;
		switch (scan_unit(device, pci_address, scratch)) {
		case UNIT_FINE:
			hung = 0;
			break;
		case UNIT_UNUSABLE:
			hung = 0;
			all_usable = false;
			break;
		case UNIT_HUNG:
			hung++;
			all_usable = false;
			break;
		}
	}
	if (hung == 2) {
		console_newline();
		console_rom(ROM_STRING("  the bus hangs, scan ended"));
	}
	if (scratch)
		memory_give_back(scratch, SCRATCH_KIB);
	return all_usable;
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
	u16 pci_address = workspace.post.pci_address;

	(void)unused;
	workspace_canary = STACK_CANARY;
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
	bool all_usable = scan_bus(pci_address);
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
