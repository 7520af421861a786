/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * INT 19h and INT 18h. On a BIOS without boot entries, hooking them is the only
 * way for a ROM to take part in booting.
 */
#include "bootstrap.h"

#include "int13/cd/emulation.h"
#include "pc/bda.h"
#include "rom/boot/cd/cdboot.h"
#include "rom/boot/connect.h"
#include "rom/layout.h"

static void hook_int18(u32 entry)
{
	if (!workspace.previous_int18)
		workspace.previous_int18 = connect_hook(IVT_INT18, entry);
}

static void connect_disks(void)
{
	for (u32 slot = 0; slot < workspace.int13.disks; slot++)
		if (!connect_is_cd(slot))
			connect_disk(slot);
}

static u32 boot_cds(void)
{
	u32 entry = 0;

	if (workspace.cds_tried)
		return 0;
	for (u32 slot = 0; slot < workspace.int13.disks && !entry; slot++)
		if (connect_is_cd(slot))
			entry = cdboot_boot(slot);
	workspace.cds_tried = true;
	return entry;
}

/* INT 19h: the BIOS starts to boot. Connect our disks. A CD is booted now
 * only if the host ranks it first; otherwise INT 18h boots it, if nothing
 * else has booted.
 */
static u32 before_int19(u32 int18_entry)
{
	u32 entry = 0;

	workspace.cds_tried = workspace.bios_calls_entries;
	if (workspace.bios_calls_entries)
		return 0;
	connect_disks();
	hook_int18(int18_entry);
	if (workspace.cd_leads)
		entry = boot_cds();
	workspace.int19_pending = entry;
	return entry;
}

/* INT 18h: the BIOS or a booted system gives up. */
static u32 before_int18(void)
{
	if (!workspace.int19_pending)
		return boot_cds();
	workspace.int19_pending = false;
	return workspace.previous_int19;
}

u32 bootstrap_next(u32 interrupt, u32 int18_entry)
{
	u32 entry;

	/* The next system to boot may need the drive whose number the emulated
	 * drive has taken.
	 */
	if (workspace.int13.emulated != NOT_EMULATED)
		emulation_end(&workspace.int13);
	if (interrupt == BOOT_INT19) {
		entry = before_int19(int18_entry);
		return entry ? entry : workspace.previous_int19;
	}
	entry = before_int18();
	return entry ? entry : workspace.previous_int18;
}

u32 bootstrap_cd(u32 slot, u32 int18_entry)
{
	u32 entry = cdboot_boot(slot);

	if (entry)
		hook_int18(int18_entry);
	return entry;
}
