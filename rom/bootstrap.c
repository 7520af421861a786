/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * What a BIOS without boot entries leaves to us: INT 19h and 18h. Stays in
 * memory only there, or with media that can be removed (rom.ld).
 */
#include "connect.h"
#include "image.h"
#include "int13/cd/emulation.h"
#include "pc/bda.h"
#include "workspace.h"

extern const char rom_int18[]; /* entry.S */
extern const char pnp_slots[]; /* header.S */

static u16 rom_word(u32 offset)
{
	return *(const u16 IN_ROM *)offset;
}

static u32 slot_at(u32 header)
{
	return (header - (u32)pnp_slots) / PNP_SLOT_BYTES;
}

/* Entries are chained in the order of the host. */
static void connect_disks(void)
{
	for (u32 at = rom_word(ROM_PNP); at; at = rom_word(at + PNP_NEXT))
		if (!connect_is_cd(slot_at(at)))
			connect_disk(slot_at(at));
}

static u32 boot_cds(void)
{
	u32 entry = 0;

	if (workspace.cds_tried)
		return 0;
	for (u32 at = rom_word(ROM_PNP); at && !entry;
	     at = rom_word(at + PNP_NEXT))
		if (connect_is_cd(slot_at(at)))
			entry = cd_boot(slot_at(at));
	workspace.cds_tried = true;
	return entry;
}

void connect_hook_int18(void)
{
	if (!workspace.previous_int18)
		workspace.previous_int18 = connect_hook(IVT_INT18, rom_int18);
}

/* The BIOS boots now: with our disks, but for a CD that the host wants first
 * of all, and with our CDs when nothing else is left.
 */
static u32 before_int19(void)
{
	u32 entry = 0;

	workspace.cds_tried = workspace.bios_boots;
	if (workspace.bios_boots)
		return 0;
	connect_disks();
	connect_hook_int18();
	if (workspace.cd_leads)
		entry = boot_cds();
	workspace.int19_waits = entry;
	return entry;
}

/* The BIOS, or what was booted, gives up. */
static u32 before_int18(void)
{
	if (!workspace.int19_waits)
		return boot_cds();
	workspace.int19_waits = false;
	return workspace.previous_int19;
}

u32 bootstrap_next(u32 slot)
{
	u32 entry;

	/* What is booted next may want the drive whose number an image has. */
	if (workspace.int13.emulated != NOT_EMULATED)
		emulation_end(&workspace.int13);
	if (slot == BOOT_INT19) {
		entry = before_int19();
		return entry ? entry : workspace.previous_int19;
	}
	entry = before_int18();
	return entry ? entry : workspace.previous_int18;
}
