/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The emulated drive: a boot image on a CD, accessed as a floppy or a hard disk
 * [El Torito 1.0 "Emulation"; EDD-4 "CD and DVD"]. This part calls no other code
 * for CDs, so it need not lie with it (rom/gates/gates.S).
 */
#ifndef INT13_EMULATED_H
#define INT13_EMULATED_H

#include "int13/int13.h"
#include "int13/job.h"

/* Fill in *view as the emulated drive: the state of the CD drive with the
 * size of the boot image. Sets state->boot_image.first. Returns view.
 */
struct disk *emulation_view(struct int13_state *state, struct disk *view);

/* Must this piece of the boot image be copied from the block buffer? Parts of
 * a block are, because the block stays in the buffer for the next part. Only
 * memory below 1 MiB can be the destination, as the CPU must reach it in real
 * mode.
 */
bool emulation_uses_buffer(const struct int13_call *call,
			   const struct int13_job *job);

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
