/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * POST: opens the controller, scans the bus and prepares the boot entries.
 * init_entry.S calls it in three steps because the stack changes: init_locate()
 * (locate.c) and init_finish() run on the BIOS's stack, init_main() on ours.
 */
#include "banner.h"
#include "configure.h"
#include "host.h"
#include "int13/job.h"
#include "install.h"
#include "keys.h"
#include "memory.h"
#include "order.h"
#include "rom_image.h"
#include "pc/bda.h"
#include "pc/far.h"
#include "pc/phys.h"
#include "rom/layout.h"
#include "setup/setup.h"
#include "state.h"
#include "targets.h"
#include "units.h"
#include "rom/boot/connect.h"
#include "rom/boot/extra/bootstrap.h"
#include "rom/workspace.h"

extern const char rom_int18[], rom_int19[]; /* rom/boot/boot_entry.S */
extern const char text_end[]; /* rom.ld */
extern const char rom_int13_boot[]; /* rom/boot/extra/int13_boot.S */

#define SETUP_WANTED (~0u) /* instead of a number of units */

u32 init_main(u32 unused);
u32 init_finish(u32 units, u32 workspace_segment);

/* ---- Step 2 ------------------------------------------------------------- */

static struct scsi_bus *bus(void)
{
	return &workspace.int13.bus;
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

/* Give the user time to press the key for the set-up screen, counted from `begun`. */
static void wait_for_key(u16 begun)
{
	u32 most_ms = post.switches[SWITCH_SETUP_WAIT] * 1000u;

	while (post.offers_setup && !post.setup_wanted &&
	       !clock_passed(begun, most_ms)) {
		clock_delay_us(10000);
		keys_let_in();
		targets_take_key();
	}
}

static void scan(void)
{
	u16 begun = clock_mark();

	if (!workspace.quiet)
		banner_host_id(workspace.lsi.hba.own_id,
			       post.bios != PNP_CALLS_ENTRIES,
			       post.offers_setup &&
				       post.switches[SWITCH_SETUP_WAIT]);
	workspace.int13.emulated = NOT_EMULATED;
	workspace.calls_first_only = post.bios >= PNP_CALLS_FIRST;
	bool lines = !units_scan();
	wait_for_key(begun);
	host_set_geometries(&post.path);
	order_drives();
	units_free_buffer();
	if (!workspace.quiet)
		banner_count(workspace.int13.disks - post.cds, post.cds,
			     lines);
	workspace.has_cd = post.cds;
	workspace.lsi.spins = post.emulated ? LSI_SPINS_ON_QEMU : LSI_SPINS;
}

/* Step 2, on our stack. Returns the number of units, or SETUP_WANTED. */
u32 init_main(u32 unused)
{
	(void)unused;
	workspace_canary = STACK_CANARY;
	phys_identity();
	clock_setup();
	fill_dpte(&workspace.int13.dpte);
	bus()->hba = &workspace.lsi.hba;
	if (!configure())
		return 0;
	scan();
	if (workspace_canary != STACK_CANARY) {
		banner_begin();
		banner_end(ROM_STRING("stack overflow, disks not used"));
		return 0;
	}
	if (post.setup_wanted)
		return SETUP_WANTED;
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
	if (units == SETUP_WANTED)
		setup_run((u16)workspace_segment);
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
