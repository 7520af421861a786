/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The emulated drive: a boot image on a CD, accessed as a floppy or a hard disk
 * [El Torito 1.0 "Emulation"; EDD-4 "CD and DVD"].
 */
#ifndef INT13_CD_EMULATION_H
#define INT13_CD_EMULATION_H

#include "int13/int13.h"
#include "int13/job.h"

/* Fill in *view as the emulated drive: the state of the CD drive with the
 * size of the boot image. Returns view.
 */
struct disk *emulation_view(const struct int13_state *state, struct disk *view);

/* Check that the disc with the boot image is in the drive: STATUS_OK,
 * STATUS_NO_MEDIUM if it is another disc, or the status of a failed read.
 * Moves FS.
 */
enum int13_status emulation_check(const struct int13_call *call);

/* Must this piece of the boot image be copied from the block buffer? Parts of
 * a block are, because the block stays in the buffer for the next part. Only
 * memory below 1 MiB can be the destination, as the CPU must reach it in real
 * mode.
 */
bool emulation_uses_buffer(const struct int13_call *call,
			   const struct int13_job *job);

/* Read block job->piece.blocks.lba into the buffer and copy the piece from it.
 * Returns the status of the read; on failure job->sectors is 0. Moves FS.
 */
enum int13_status emulation_copy_part(const struct int13_call *call,
				      struct int13_job *job);

/* Number of floppies or of hard disks in the BIOS's data. FS is on the BDA then.
 * Moves FS.
 */
u8 emulation_count_drives(bool hard_disks);

/* Start the emulation with that drive number, and count the drive in the BIOS's
 * data. Moves FS.
 */
void emulation_begin(struct int13_state *state, u8 number);

/* End the emulation, if there is one: all drives have their own numbers again.
 * Moves FS.
 */
void emulation_end(struct int13_state *state);

/* Set the registers of AH=08h that only floppies have: BL type, DL number of
 * floppies, ES:DI parameter table. Moves FS.
 */
void emulation_floppy_parameters(const struct int13_call *call);

#endif
