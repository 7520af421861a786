/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * POST: opens the controller, scans the bus and prepares the boot entries.
 * init_entry.S calls it in three steps because the stack changes: init_locate()
 * (locate.c) and init_finish() run on the BIOS's stack, init_main() on ours.
 */
#include "banner.h"
#include "host.h"
#include "rom_image.h"
#include "memory.h"
#include "pc/bda.h"
#include "pc/far.h"
#include "pc/phys.h"
#include "pc/post/pnp.h"
#include "state.h"
#include "units.h"
#include "rom/workspace.h"

extern const char rom_int19[]; /* rom/boot/boot_entry.S */

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

/* Bring drives and boot entries into the host's boot order; units without a
 * rank follow by ID and LUN.
 */
static void order_drives(void)
{
	struct int13_state *state = &workspace.int13;
	u8 rank[MOST_DISKS];

	for (u32 i = 0; i < state->disks; i++) {
		u8 own = post.fwcfg ? host_boot_rank(&post.path,
						     state->disk[i].device)
				    : HOST_NO_RANK;
		u32 slot = i;

		for (; slot && rank[slot - 1] > own; slot--) {
			rank[slot] = rank[slot - 1];
			swap_with_next(&state->disk[slot - 1]);
			rom_image_swap_with_next(slot - 1);
		}
		rank[slot] = own;
	}
	for (u32 i = 0; i < state->disks; i++)
		if (state->disk[i].flags & DISK_CD)
			rom_image_set_bootstrap(i);
	workspace.cd_leads = rank[0] == 0 && state->disk[0].flags & DISK_CD;
	rom_image_link_entries(state->disks);
}

/* Settings of the user */
static void apply_switches(u8 IN_ROM *switches)
{
	workspace.quiet = !switches[SWITCH_BANNER];
	workspace.choice_seconds = switches[SWITCH_BOOT_TIMEOUT];
	workspace.int13.native_blocks = switches[SWITCH_NATIVE_BLOCKS];
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
	if (lsi_open(&workspace.lsi, &options) != HBA_OK)
		return ROM_STRING(": chip failed or SCSI bus is stuck");
	for (u32 i = switches[SWITCH_SCAN_DELAY]; i; i--)
		clock_delay_us(1000000);
	return NULL;
}

static void scan(void)
{
	if (!workspace.quiet)
		banner_host_id(workspace.lsi.hba.own_id);
	workspace.int13.emulated = NOT_EMULATED;
	bool lines = !units_scan();
	if (!workspace.quiet)
		banner_count(workspace.int13.disks - post.cds, post.cds,
			     lines);
	if (workspace.int13.disks)
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
	return workspace.int13.disks;
}

/* ---- Step 3 ------------------------------------------------------------- */

/* On a BIOS that ignores boot entries, our INT 19h handler connects the
 * disks. If the BIOS calls boot entries after all, it either sets this vector
 * again, as SeaBIOS does, or the handler does nothing because
 * workspace.bios_calls_entries is set.
 */
static void hook_int19(const struct memory *memory)
{
	bda_open();
	u32 previous = FAR32(IVT_INT19);
	FAR32(IVT_INT19) = (u32)memory->place << 16 | (u32)rom_int19;
	far_open(memory->workspace);
	FAR32(FIELD(previous_int19)) = previous;
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
	enum rom_image_part part = post.cds	    ? ROM_IMAGE_WITH_CD
				   : post.removable ? ROM_IMAGE_WITH_EXTRA
						    : ROM_IMAGE_PLAIN;

	if (!units) {
		memory_leave(&memory);
		return 0;
	}
	if (!pnp_calls_boot_entries()) {
		hook_int19(&memory);
		if (part == ROM_IMAGE_PLAIN)
			part = ROM_IMAGE_WITH_EXTRA;
	}
	rom_image_install(memory.place, units, part);
	return units;
}
