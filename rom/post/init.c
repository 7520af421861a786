/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * POST: opens the controller, scans the bus and prepares the boot entries.
 * init_entry.S calls it in three steps because the stack changes: init_locate()
 * (locate.c) and init_finish() run on the BIOS's stack, init_main() on ours.
 */
#include "banner.h"
#include "host.h"
#include "int13/job.h"
#include "install.h"
#include "rom_image.h"
#include "memory.h"
#include "pc/bda.h"
#include "pc/far.h"
#include "pc/phys.h"
#include "rom/layout.h"
#include "state.h"
#include "units.h"
#include "rom/boot/connect.h"
#include "rom/boot/extra/bootstrap.h"
#include "rom/workspace.h"

extern const char rom_int18[], rom_int19[]; /* rom/boot/boot_entry.S */
extern const char text_end[]; /* rom.ld */
extern const char rom_int13_boot[]; /* rom/boot/extra/int13_boot.S */

u32 init_main(u32 unused);
u32 init_finish(u32 units, u32 workspace_segment);

_Static_assert(SWITCH_NOT_SET == LSI_ID_AS_FOUND,
	       "the value of the host-id switch is passed on unchanged");

/* ---- Step 2 ------------------------------------------------------------- */

static struct scsi_bus *bus(void)
{
	return &workspace.int13.bus;
}

static void swap_with_next(struct disk *disk)
{
	struct disk first = disk[0];

	disk[0] = disk[1];
	disk[1] = first;
}

#define AFTER_DISKS 0x8000u

/* The place of a drive in the boot order: by the host's `rank`. On a BIOS that calls
 * one boot entry at most, this has to be that of a disk: it connects all others.
 * Not on QEMU, where SeaBIOS without PMM calls all, and applies the host's order to
 * the first.
 */
static u16 place_of(const struct disk *disk, u16 rank)
{
	if (!(disk->flags & DISK_CD))
		return rank;
	if (!rank)
		workspace.cd_leads = true;
	return post.bios >= PNP_CALLS_FIRST && !post.fwcfg
		       ? rank | AFTER_DISKS
		       : rank;
}

/* Bring drives and boot entries into boot order; units of equal rank stay in the
 * order of ID and LUN.
 */
static void order_drives(void)
{
	struct int13_state *state = &workspace.int13;
	u16 place[MOST_DISKS];

	host_boot_ranks(&post.path, place);
	workspace.cd_leads = post.cd_first && post.cds;
	for (u32 i = 0; i < state->disks; i++) {
		u16 own = place_of(&drive_table[i], place[i]);
		u32 slot = i;

		for (; slot && place[slot - 1] > own; slot--) {
			place[slot] = place[slot - 1];
			swap_with_next(&drive_table[slot - 1]);
			rom_image_swap_with_next(slot - 1);
		}
		place[slot] = own;
	}
}

/* Settings of the user */
static void apply_switches(u8 IN_ROM *switches)
{
	workspace.quiet = !switches[SWITCH_BANNER];
	workspace.choice_seconds = switches[SWITCH_BOOT_TIMEOUT];
	workspace.int13.native_blocks = switches[SWITCH_NATIVE_BLOCKS];
	if (switches[SWITCH_GEOMETRY] == SWITCH_CAM)
		workspace.int13.geometry_rule = GEOMETRY_CAM;
}

/* Set what AH=48h returns about the controller. */
static void fill_dpte(struct dpte *dpte)
{
	*dpte = (struct dpte){.io = post.io,
			      .device = DPTE_DEVICE,
			      .irq = post.irq < 16 ? post.irq : 0,
			      .version = DPTE_VERSION};
	for (u32 i = 0; i < offsetof(struct dpte, sum); i++)
		dpte->sum = (u8)(dpte->sum - ((u8 *)dpte)[i]);
}

/* Returns null, or the reason why the controller cannot be used. */
static char IN_ROM *open_controller(void)
{
	u8 IN_ROM *switches = post.switches;
	struct lsi_options options = {
		.chip = post.chip,
		.io = post.io,
		.own_id = switches[SWITCH_HOST_ID],
		.keep_bus = !switches[SWITCH_BUS_RESET],
		.instant = post.emulated,
	};

	if (!options.io)
		return ROM_STRING(": no I/O address from the BIOS");
	bus()->hba = &workspace.lsi.hba;
	if (lsi_stop(&workspace.lsi, &options) != HBA_OK ||
	    lsi_open(&workspace.lsi, &options) != HBA_OK)
		return ROM_STRING(": chip failed or SCSI bus is stuck");
	for (u32 i = switches[SWITCH_SCAN_DELAY]; i; i--)
		clock_delay_us(1000000);
	return NULL;
}

/* Are the disks to be connected at the end of init? A BIOS that calls no boot
 * entries decides what to boot by 40:75h as it is then. If a CD is to boot first,
 * it must find no hard disk. If it has one itself, the read of its boot sector
 * boots the CD, unless INT 19h has done so.
 */
static bool connects_now(void)
{
	if (post.bios != PNP_CALLS_NONE)
		return false;
	if (!workspace.cd_leads)
		return true;
	bda_open();
	if (!FAR8(BDA_HARD_DISK_COUNT))
		return false;
	workspace.for_others = (u16)(u32)rom_int13_boot;
	return true;
}

static void scan(void)
{
	if (!workspace.quiet)
		banner_host_id(workspace.lsi.hba.own_id,
			       post.bios != PNP_CALLS_ENTRIES);
	workspace.int13.emulated = NOT_EMULATED;
	workspace.calls_first_only = post.bios >= PNP_CALLS_FIRST;
	bool lines = !units_scan();
	if (!workspace.quiet)
		banner_count(workspace.int13.disks - post.cds, post.cds,
			     lines);
	workspace.has_cd = post.cds;
	host_set_geometries(&post.path);
	order_drives();
	workspace.lsi.spins = post.emulated ? LSI_SPINS_ON_QEMU : LSI_SPINS;
}

/* Step 2, on our stack. Returns the number of units. */
u32 init_main(u32 unused)
{
	(void)unused;
	workspace_canary = STACK_CANARY;
	phys_identity();
	clock_setup();
	apply_switches(post.switches);
	if (!workspace.quiet) {
		banner_begin();
		banner_chip(post.chip, workspace.int13.pci_address);
	}
	fill_dpte(&workspace.int13.dpte);
	char IN_ROM *failure = open_controller();
	if (failure && !workspace.quiet)
		banner_end(failure);
	if (failure)
		return 0;
	scan();
	if (workspace_canary != STACK_CANARY) {
		banner_begin();
		banner_end(ROM_STRING("stack overflow, disks not used"));
		return 0;
	}
	if (!workspace.int13.disks)
		return 0;
	install_resident();
	if (connects_now()) {
		if (workspace.for_others)
			connect_int13();
		bootstrap_connect_disks(0);
	}
	return workspace.int13.disks;
}

/* ---- Step 3 ------------------------------------------------------------- */

#define MOST_COPIES 32

/* Is the ROM at FS:0 a copy of this ROM, and of the same build? Only then has its
 * workspace the same fields at the same places.
 */
static bool is_same_build(void)
{
	if (FAR32(ROM_SIGNATURE) != ROM_OURS)
		return false;
	for (u32 at = ROM_ENTRY; at < (u32)text_end; at += 4)
		if (FAR32(at) != *(u32 IN_ROM *)at)
			return false;
	return true;
}

/* Hook an interrupt. `field` is where a copy of this ROM keeps the old vector in
 * its workspace. Where only init hooks it, copies that were there first are
 * called first, so we come after the last of them. Returns the old vector.
 */
static u32 hook(u32 vector, u32 entry, u32 field)
{
	u16 segment = 0;
	u32 previous;

	for (u32 left = MOST_COPIES;; left--) {
		far_open(segment);
		previous = FAR32(vector);
		far_open((u16)(previous >> 16));
		if (post.bios != PNP_CALLS_NONE || !left ||
		    (u16)previous != entry || !is_same_build())
			break;
		segment = FAR16(ROM_WORKSPACE_SEGMENT);
		vector = field;
	}
	far_open(segment);
	FAR32(vector) = (u32)post.place << 16 | entry;
	return previous;
}

/* A boot sector of an earlier boot may be left in memory. INT 19h must not take it
 * for one that the BIOS has read now (boot/extra/bootstrap.c).
 */
static void forget_boot_sector(void)
{
	bda_open();
	if (FAR16(BOOT_PLACE + MBR_SIGNATURE_AT) == MBR_SIGNATURE)
		FAR16(BOOT_PLACE + MBR_SIGNATURE_AT) = 0;
}

/* Take part in booting on a BIOS that may call no boot entries. If it calls
 * them all the same, it either sets INT 19h again, as SeaBIOS does, or our handler
 * does nothing because workspace.bios_calls_entries is set. Without a CD,
 * INT 18h is not hooked: Award Medallion then boots a network before our disks.
 */
static void hook_bootstrap(u16 workspace_segment)
{
	u32 previous_int18 = 0;
	u32 previous_int19 =
		hook(IVT_INT19, (u32)rom_int19, FIELD(previous_int19));

	if (post.bios == PNP_CALLS_NONE && post.cds) {
		previous_int18 = hook(IVT_INT18, (u32)rom_int18,
				      FIELD(previous_int18));
		forget_boot_sector();
	}
	far_open(workspace_segment);
	FAR32(FIELD(previous_int18)) = previous_int18;
	FAR32(FIELD(previous_int19)) = previous_int19;
}

/* Step 3, on the BIOS's stack again. Returns the number of units. */
u32 init_finish(u32 units, u32 workspace_segment)
{
	far_open((u16)workspace_segment);
	struct memory memory = {
		.place = post.place,
		.place_kib = post.place_kib,
		.workspace = (u16)workspace_segment,
	};
	if (!units) {
		memory_leave(&memory);
		return 0;
	}
	if (post.bios != PNP_CALLS_ENTRIES)
		hook_bootstrap(memory.workspace);
	return units;
}
