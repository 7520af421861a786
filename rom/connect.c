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

/* "80h: SCSI 00:03.0 ID 0 LUN 0 QEMU QEMU HARDDISK 2.5+ ..." */
static void print_drive(u32 slot, u8 number)
{
	const char IN_ROM *header =
		(const char IN_ROM *)((u32)pnp_slots + slot * PNP_SLOT_BYTES);

	console_hex8(number);
	console_rom(ROM_STRING("h: "));
	console_rom(header + PNP_PRODUCT);
	console_char(' ');
	console_rom(header + PNP_DETAILS);
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
	print_drive(slot, disk->number);
}
