/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * INT 19h and INT 18h. On a BIOS without boot entries, hooking them is the only
 * way for a ROM to take part in booting.
 */
#include "bootstrap.h"

#include "int13/extra/emulated.h"
#include "int13/job.h"
#include "pc/bda.h"
#include "rom/boot/cd/cdboot.h"
#include "rom/boot/connect.h"
#include "rom/boot/extra/cd_memory.h"
#include "rom/layout.h"

#define BIOS_SEGMENT 0xf000

extern const char rom_iret[]; /* entry.S */

static void hook_int18(u32 entry)
{
	if (!workspace.previous_int18)
		workspace.previous_int18 = connect_hook(IVT_INT18, connect_far(entry));
}

void bootstrap_connect_disks(u32 slot)
{
	for (; slot < workspace.int13.disks; slot++)
		if (!connect_is_cd(slot))
			connect_disk(slot);
}

static u32 boot_cds(void)
{
	u32 entry = 0;

	if (workspace.cds_tried || !cd_memory_take())
		return 0;
	for (u32 slot = 0; slot < workspace.int13.disks && !entry; slot++)
		if (connect_is_cd(slot))
			entry = cdboot_boot(slot);
	workspace.cds_tried = true;
	return entry;
}

/* The disk that a BIOS would boot, if it is ours; else null. */
static struct disk *first_disk(void)
{
	return drives_find(&workspace.int13, FIRST_HARD_DISK);
}

static bool boot_sector_is_there(void)
{
	bda_open();
	return FAR16(BOOT_PLACE + MBR_SIGNATURE_AT) == MBR_SIGNATURE;
}

#define TRIES 3 /* the first one after an exchange reports a new medium */

/* Boot our first disk, as a BIOS would. Not if its boot sector was already read
 * since INT 19h: it has been started and gave up, or it cannot be started.
 */
static u32 boot_disk(void)
{
	struct disk *disk = first_disk();
	struct int13_frame regs;

	if (!disk || disk->flags & DISK_TRIED)
		return 0;
	u32 tries = TRIES;
	do {
		regs = (struct int13_frame){.eax = 0x0201,
					    .ebx = BOOT_PLACE,
					    .ecx = 0x0001,
					    .edx = FIRST_HARD_DISK};
		int13_dispatch(&regs, &workspace.int13);
	} while (regs.flags & FLAGS_CF && --tries);
	if (!tries || !boot_sector_is_there())
		return 0;
	workspace.boot_drive = FIRST_HARD_DISK;
	return BOOT_PLACE;
}

static u32 boot_any(void)
{
	u32 entry = workspace.cd_leads ? boot_cds() : boot_disk();

	if (!entry)
		entry = workspace.cd_leads ? boot_disk() : boot_cds();
	return entry;
}

/* If the user inserts a disc and the BIOS tries again, so do we, but not a CD that
 * has given up.
 */
static void allow_cds_again(void)
{
	workspace.cds_tried = workspace.int13.cd_count;
}

/* Award Medallion has replaced our INT 19h, but calls it before it boots each
 * device, whose boot sector it has loaded if it is a disk.
 */
static bool bios_dispatches(void)
{
	bda_open();
	return FAR16(IVT_INT19 + 2) == BIOS_SEGMENT;
}

static u32 before_device(void)
{
	bool loaded = boot_sector_is_there();
	/* It has found nothing to boot before: it tries all devices again. */
	if (workspace.device_pending)
		allow_cds_again();
	u32 entry = loaded && !workspace.cd_leads ? 0 : boot_any();

	workspace.int19_pending = entry && loaded;
	workspace.device_pending = !entry && !loaded;
	if (!entry && loaded)
		cd_memory_give_back();
	return entry;
}

/* INT 19h: the BIOS starts to boot. Connect our disks. A CD is booted now only if
 * it comes before disks; otherwise INT 18h boots it, if nothing else has booted.
 */
static u32 before_int19(u32 int18_entry)
{
	workspace.for_others = 0;
	if (workspace.bios_calls_entries)
		return 0;
	bootstrap_connect_disks(0);
	if (!workspace.has_cd)
		return 0;
	hook_int18(int18_entry);
	if (bios_dispatches())
		return before_device();
	struct disk *disk = first_disk();
	if (disk)
		disk->flags &= (u8)~DISK_TRIED;
	workspace.cds_tried = false;
	u32 entry = workspace.cd_leads ? boot_cds() : 0;
	workspace.int19_pending = entry;
	if (!entry)
		cd_memory_give_back();
	return entry;
}

/* INT 18h: the BIOS or a booted system gives up. Medallion calls it for a device,
 * and goes on to the next one when it returns.
 */
static u32 before_int18(void)
{
	if (workspace.int19_pending) {
		workspace.int19_pending = false;
		return bios_dispatches() ? FAR32(IVT_INT19)
					 : workspace.previous_int19;
	}
	if (workspace.bios_calls_entries)
		return 0;
	bootstrap_connect_disks(0);
	u32 entry = boot_any();
	if (entry)
		return entry;
	if (!workspace.device_pending) {
		allow_cds_again();
		return 0;
	}
	workspace.device_pending = false;
	return (u32)rom_segment() << 16 | (u32)rom_iret;
}

u32 bootstrap_next(u32 interrupt, u32 int18_entry)
{
	u32 entry;

	if (interrupt == BOOT_INT13) {
		entry = boot_cds();
		workspace.int19_pending = entry;
		return entry ? entry : workspace.int13.previous;
	}
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
	/* Seen: Phoenix calls it after INT 19h, which has given the memory back. */
	u32 entry = cd_memory_take() ? cdboot_boot(slot) : 0;

	workspace.bios_calls_entries = true;
	if (entry)
		hook_int18(int18_entry);
	return entry;
}
