/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Dispatches the entry points of boot_entry.S: connect or disconnect a disk,
 * boot a CD, or take part in booting on a BIOS without boot entries.
 */
#include "pc/types.h"
#include "rom/boot/cd/cdboot.h"
#include "rom/boot/connect.h"
#include "rom/boot/extra/bootstrap.h"
#include "rom/layout.h"

u32 boot_connect(u32 slot, u32 int18_entry);

/* Is that the last boot entry of a disk, and are there disks for whose entries there
 * was no room?
 */
static bool entries_end_with(u32 slot)
{
	u32 entries = *(u8 IN_ROM *)ROM_ENTRY_COUNT;

	if (entries == workspace.int13.disks)
		return false;
	while (++slot < entries)
		if (!connect_is_cd(slot))
			return false;
	return true;
}

/* Called by boot_entry.S on our stack. `slot` is a slot, a slot with
 * BOOT_DISCONNECT, or BOOT_INT18, BOOT_INT19 or BOOT_INT13. Returns the far address
 * to continue at, 0 to return to the BIOS. Moves FS.
 */
u32 boot_connect(u32 slot, u32 int18_entry)
{
	if (slot & BOOT_INTERRUPT)
		return bootstrap_next(slot, int18_entry);
	bool leave = slot & BOOT_DISCONNECT;
	slot &= ~(u32)BOOT_DISCONNECT;
	if (slot >= workspace.int13.disks)
		return 0;
	bool cd = connect_is_cd(slot);
	if (leave) {
		if (cd)
			cdboot_disconnect();
		else
			connect_undo_disk(slot);
		return 0;
	}
	if (cd)
		return bootstrap_cd(slot, int18_entry);
	connect_disk(slot);
	/* The code for further disks is resident: on a BIOS that calls at most one
	 * entry, and with a CD, without which there is room for all entries.
	 */
	if (workspace.calls_first_only) {
		bootstrap_connect_disks(0);
		return 0;
	}
	workspace.bios_calls_entries = true;
	if (entries_end_with(slot))
		bootstrap_connect_disks(slot + 1);
	return 0;
}
