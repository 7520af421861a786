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

/* Link the boot entries in the host's order; units without a rank follow by
 * ID and LUN.
 */
static void order_entries(void)
{
	struct int13_state *state = &workspace.int13;
	u8 rank[MOST_DISKS] = {0}, order[MOST_DISKS] = {0};

	for (u32 i = 0; i < state->disks; i++) {
		u32 place = i;

		rank[i] = workspace.post.fwcfg
				  ? host_boot_rank(&workspace.post.settings.path,
						   state->disk[i].device)
				  : HOST_NO_RANK;
		for (; place && rank[order[place - 1]] > rank[i]; place--)
			order[place] = order[place - 1];
		order[place] = (u8)i;
	}
	workspace.cd_leads = rank[order[0]] == 0 &&
			     state->disk[order[0]].flags & DISK_CD;
	rom_image_link_entries(order, state->disks);
}

/* Settings of the user */
static void apply_switches(const u8 *switches)
{
	workspace.quiet = !switches[SWITCH_BANNER];
	workspace.choice_seconds = switches[SWITCH_BOOT_TIMEOUT];
	workspace.int13.native_blocks = switches[SWITCH_NATIVE_BLOCKS];
}

/* Returns null, or the reason why the controller cannot be used. */
static char IN_ROM *open_controller(void)
{
	const u8 *switches = workspace.post.settings.switches;
	struct lsi_options options = {
		.chip = workspace.post.chip,
		.io = workspace.post.io,
		.own_id = switches[SWITCH_HOST_ID],
		.keep_bus = !switches[SWITCH_BUS_RESET],
		.instant = workspace.post.emulated,
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
		banner_count(workspace.int13.disks - workspace.post.cds,
			     workspace.post.cds, lines);
	if (workspace.int13.disks)
		order_entries();
	workspace.lsi.spins =
		workspace.post.emulated ? LSI_SPINS_ON_QEMU : LSI_SPINS;
}

/* Step 2, on our stack. Returns the number of units. */
u32 init_main(u32 unused)
{
	(void)unused;
	workspace_canary = STACK_CANARY;
	phys_identity();
	clock_setup();
	apply_switches(workspace.post.settings.switches);
	if (!workspace.quiet) {
		banner_begin();
		banner_chip(workspace.post.chip, workspace.int13.pci_address);
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
		.place = FAR16(FIELD(post.place)),
		.place_kib = FAR8(FIELD(post.place_kib)),
		.workspace = (u16)workspace_segment,
	};
	enum rom_image_part part = FAR8(FIELD(post.cds))	     ? ROM_IMAGE_WITH_CD
			       : FAR8(FIELD(post.removable)) ? ROM_IMAGE_WITH_EXTRA
							     : ROM_IMAGE_PLAIN;

	FAR32(FIELD(previous_int18)) = 0; /* shares memory with workspace.post */
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
