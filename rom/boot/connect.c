/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Boot connection: a disk becomes a BIOS drive. [BBS 1.01 "BCV"]
 */
#include "connect.h"

#include "pc/bda.h"
#include "pc/console.h"
#include "rom/layout.h"

extern const char rom_int13[]; /* entry.S */

u32 connect_hook(u32 vector, u32 handler)
{
	bda_open();
	u32 previous = FAR32(vector);
	FAR32(vector) = handler;
	return previous;
}

bool connect_unhook(u32 vector, u32 handler, u32 previous)
{
	bda_open();
	if (FAR32(vector) != handler)
		return false;
	FAR32(vector) = previous;
	return true;
}

#define MIB_SHIFT 20
#define MOST_OF_A_UNIT 10239 /* then the next unit is printed */

/* "64 MiB, 512-byte blocks" */
static NOT_INLINE void print_size(const struct disk *disk)
{
	u64 size = disk->sectors;
	u32 shift = MIB_SHIFT - disk->sector_shift;
	char IN_ROM *unit = ROM_STRING("MGTPE");

	if (disk->flags & DISK_UNKNOWN) {
		if (!(disk->flags & DISK_CD)) /* for a CD, a reason follows */
			console_rom(ROM_STRING("no medium"));
		return;
	}
	do { /* one bit at a time, as this code is the smallest */
		size >>= 1;
		if (!--shift && size > MOST_OF_A_UNIT) {
			shift = 10;
			unit++;
		}
	} while (shift);
	console_decimal((u32)size);
	console_char(' ');
	console_char(*unit);
	console_rom(ROM_STRING("iB, "));
	console_decimal(1u << (disk->sector_shift + disk->split));
	console_rom(ROM_STRING("-byte blocks"));
}

/* "SCSI 00:03.0 ID 0 LUN 0 QEMU QEMU HARDDISK", or "SCSI ID 0" if the drive has no
 * boot entry
 */
static void print_name(u32 slot)
{
	u32 entry = *(u16 IN_ROM *)ROM_ENTRIES + slot * PNP_SLOT_BYTES;

	if (slot < *(u8 IN_ROM *)ROM_ENTRY_COUNT) {
		console_rom((char IN_ROM *)(entry + PNP_PRODUCT));
		return;
	}
	console_rom(ROM_STRING("SCSI ID "));
	console_decimal(drive_table[slot].device.target);
}

void connect_print_drive(u32 slot)
{
	const struct disk *disk = &drive_table[slot];

	if (workspace.quiet)
		return;
	console_hex8(disk->number);
	console_rom(ROM_STRING("h: "));
	print_name(slot);
	console_char(' ');
	print_size(disk);
	console_newline();
}

void connect_int13(void)
{
	if (!workspace.int13_hooked)
		workspace.int13.previous =
			connect_hook(IVT_INT13, connect_far((u32)rom_int13));
	workspace.int13_hooked = true;
}

void connect_disk(u32 slot)
{
	struct int13_state *state = &workspace.int13;
	struct disk *disk = &drive_table[slot];

	if (disk->number)
		return;
	if (!drives_connect(state, disk)) {
		if (workspace.quiet)
			return;
		console_rom(ROM_STRING("no drive number is free"));
		console_newline();
		return;
	}
	connect_int13();
	connect_print_drive(slot);
}

void connect_undo_disk(u32 slot)
{
	struct int13_state *state = &workspace.int13;

	if (drives_disconnect(state, &drive_table[slot]) &&
	    !state->drive_map &&
	    connect_unhook(IVT_INT13, connect_far((u32)rom_int13),
			   state->previous))
		workspace.int13_hooked = false;
}
