/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Properties of the emulated drive, and its place among the drives that the BIOS
 * counts.
 */
#include "emulated.h"

#include "int13/cd/cd.h"
#include "pc/bda.h"

struct disk *emulation_view(struct int13_state *state, struct disk *view)
{
	struct boot_image *image = &state->boot_image;
	const struct geometry *geometry = &image->geometry;
	const struct disk *cd = &drive_table[image->disk];
	u64 rest = (cd->sectors - image->lba) << CD_SECTOR_SPLIT;
	u32 sectors = (u32)geometry->cylinders * geometry->heads *
		      geometry->sectors_per_track;
	bool floppy = state->emulated < FIRST_HARD_DISK;

	image->first = image->lba << -cd->split;
	*view = *cd;
	view->number = state->emulated;
	view->geometry = *geometry;
	view->sector_shift = SECTOR_SHIFT;
	view->split = (i8)(cd->split + CD_SECTOR_SPLIT);
	view->sectors = rest;
	view->flags |= DISK_EMULATED;
	if (floppy)
		view->flags |= DISK_FLOPPY;
	/* A hard disk at LBA 0 is the whole disc, also after its first partition. */
	if (sectors < rest && (image->lba || floppy))
		view->sectors = sectors;
	return view;
}

/* ---- Parts of a block of the disc ------------------------------------------ */

#define MIB 0x100000u

bool emulation_uses_buffer(const struct int13_call *call,
			   const struct int13_job *job)
{
	const struct phys_range *data = &job->piece.request.data;

	return job->action == DISK_READ &&
	       job->sectors & ((1u << call->disk->split) - 1) &&
	       data->address < MIB && data->bytes <= MIB - data->address;
}

/* ---- Number of drives, as the BIOS counts them ------------------------------ */

#define FLOPPIES_PRESENT 0x01 /* in BDA_EQUIPMENT */
#define FLOPPIES_SHIFT 6      /* their number minus 1 */
#define FLOPPIES_MASK 0xc1
#define MOST_FLOPPIES 4

u8 emulation_count_drives(bool hard_disks)
{
	bda_open();
	u8 equipment = FAR8(BDA_EQUIPMENT);
	if (hard_disks)
		return FAR8(BDA_HARD_DISK_COUNT);
	return equipment & FLOPPIES_PRESENT
		       ? (u8)((equipment >> FLOPPIES_SHIFT) + 1)
		       : 0;
}

static void set_floppies(u8 bits)
{
	FAR8(BDA_EQUIPMENT) =
		(u8)((FAR8(BDA_EQUIPMENT) & ~FLOPPIES_MASK) | bits);
}

void emulation_begin(struct int13_state *state, u8 number)
{
	u8 floppies = emulation_count_drives(false);

	state->emulated = number;
	if (number >= FIRST_HARD_DISK) {
		FAR8(BDA_HARD_DISK_COUNT)++;
		return;
	}
	state->equipment = FAR8(BDA_EQUIPMENT);
	if (floppies == MOST_FLOPPIES)
		floppies--;
	set_floppies((u8)(floppies << FLOPPIES_SHIFT | FLOPPIES_PRESENT));
}

void emulation_end(struct int13_state *state)
{
	bda_open();
	if (state->emulated < FIRST_HARD_DISK)
		set_floppies(state->equipment & FLOPPIES_MASK);
	else if (state->emulated != NOT_EMULATED)
		FAR8(BDA_HARD_DISK_COUNT)--;
	state->emulated = NOT_EMULATED;
}

void emulation_floppy_parameters(const struct int13_call *call)
{
	struct int13_frame *regs = call->regs;

	regs->bl = (u8)((call->state->boot_image.media & MEDIA_TYPE) * 2);
	regs->dl = emulation_count_drives(false);
	regs->es = FAR16(IVT_INT1E + 2);
	regs->edi = (regs->edi & 0xffff0000) | FAR16(IVT_INT1E);
}
