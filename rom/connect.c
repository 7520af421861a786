/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Boot connection: a disk becomes a BIOS drive. [BBS 1.01 "BCV"]
 */
#include "image.h"
#include "pc/bda.h"
#include "pc/console.h"
#include "workspace.h"

extern const char rom_int13[]; /* entry.S */
extern const char pnp_slots[]; /* header.S */

static void hook_int13(struct int13_state *state)
{
	bda_open();
	state->previous = FAR32(IVT_INT13);
	FAR32(IVT_INT13) = (u32)rom_segment() << 16 | (u32)rom_int13;
}

#define MIB_SHIFT 20
#define MIB_PER_GIB 1024
#define FIRST_MIB_SHOWN_AS_GIB (10 * MIB_PER_GIB)

/* "64 MiB, 512-byte blocks" */
static void print_size(const struct disk *disk)
{
	u32 mib = (u32)(disk->sectors >> (MIB_SHIFT - disk->sector_shift));

	if (disk->flags & DISK_UNKNOWN) {
		console_rom(ROM_STRING("no medium"));
		return;
	}
	if (mib >= FIRST_MIB_SHOWN_AS_GIB) {
		console_decimal(mib / MIB_PER_GIB);
		console_rom(ROM_STRING(" GiB, "));
	} else {
		console_decimal(mib);
		console_rom(ROM_STRING(" MiB, "));
	}
	console_decimal(1u << (disk->sector_shift + disk->split));
	console_rom(ROM_STRING("-byte blocks"));
}

/* "80h: SCSI 00:03.0 ID 0 LUN 0 QEMU QEMU HARDDISK 64 MiB, ..." */
static void print_drive(u32 slot, const struct disk *disk)
{
	const char IN_ROM *header =
		(const char IN_ROM *)((u32)pnp_slots + slot * PNP_SLOT_BYTES);

	console_hex8(disk->number);
	console_rom(ROM_STRING("h: "));
	console_rom(header + PNP_PRODUCT);
	console_char(' ');
	print_size(disk);
	console_newline();
}

/* Called by entry.S:bcv_common on our stack. The BIOS calls the vectors of
 * the disks it wants, in its own order, with other drives in between.
 */
void boot_connect(u32 slot);
void boot_connect(u32 slot)
{
	struct int13_state *state = &workspace.int13;
	struct disk *disk = &state->disk[slot];

	if (slot >= state->disks || disk->number)
		return;
	bool first = !state->drive_map;
	if (!drives_connect(state, disk)) {
		console_rom(ROM_STRING("lsi8xx-rom: no drive number is free"));
		console_newline();
		return;
	}
	if (first)
		hook_int13(state);
	print_drive(slot, disk);
}
