/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The emulated drive: a boot image of a CD that appears as a floppy or a hard
 * disk [El Torito 1.0 "Emulation"; EDD-4 "CD and DVD"].
 */
#ifndef INT13_CD_EMULATION_H
#define INT13_CD_EMULATION_H

#include "int13/int13.h"
#include "int13/job.h"

/* Fill in the emulated drive: the CD's state with the image's size. Returns
 * view.
 */
struct disk *emulation_view(const struct int13_state *state, struct disk *view);

/* Is the disc of the image still, or again, in the drive? STATUS_NO_MEDIUM if
 * another one is. May move FS.
 */
enum int13_status emulation_check(const struct int13_call *call);

/* Does the piece, which is of the image, come from the block buffer? Parts of
 * a disc's block do, where it stays for the next of them; but only to memory
 * below 1 MiB, which the CPU surely reaches.
 */
bool emulation_wants_part(const struct int13_call *call,
			  const struct int13_job *job);

/* Copy it from block job->piece.blocks.lba. job->sectors is 0 if that fails. */
enum int13_status emulation_copy_part(const struct int13_call *call,
				      struct int13_job *job);

/* Floppies, or hard disks, that the BIOS counts. Moves FS to the BDA. */
u8 emulation_count_drives(bool hard_disks);

/* Give the image that drive number and count it. Moves FS to the BDA. */
void emulation_begin(struct int13_state *state, u8 number);

/* Give all drives their own numbers again, if an emulation is under way. Moves
 * FS to the BDA.
 */
void emulation_end(struct int13_state *state);

/* What AH=08h returns for an emulated floppy besides its geometry: BL type, DL
 * number of floppies, ES:DI parameter table. Moves FS to the BDA.
 */
void emulation_floppy_parameters(const struct int13_call *call);

#endif
