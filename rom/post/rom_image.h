/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Changes to the image that init runs in: boot entries and length; and the
 * copy of it that stays. `place` is the segment of that.
 */
#ifndef ROM_ROM_IMAGE_H
#define ROM_ROM_IMAGE_H

#include "pc/post/text.h"

/* Write the boot entry of a disk (0 to PNP_SLOTS - 1). Moves FS. */
void rom_image_set_entry(u32 slot, const struct text *product);

/* Make it one that boots, in place of one that connects a disk. Moves FS. */
void rom_image_set_bootstrap(u32 slot);

/* Chain the boot entries in this order of slots; a BIOS lists and boots them
 * so. Moves FS.
 */
void rom_image_link_entries(const u8 *order, u32 entries);

/* Note our RAM's segment, and the controller for other copies. Moves FS. */
void rom_image_set_owner(u16 workspace, u16 pci_address);

/* Can the place be written? The word of the workspace is changed. Moves FS. */
bool rom_image_fits_into(u16 place);

/* How much of it stays (rom.ld): the boot entries in use and everything before
 * them; or all up to what removable media and BIOSes without boot entries need;
 * or all that CDs need.
 */
enum rom_image_part { ROM_IMAGE_PLAIN, ROM_IMAGE_WITH_EXTRA, ROM_IMAGE_WITH_CD };

/* Put that into its place. Its lengths and checksums are right. Moves FS. */
void rom_image_install(u16 place, u32 entries, enum rom_image_part part);

/* Put a header with length 0 there: nothing stays. Moves FS. */
void rom_image_give_up(u16 place);

/* The same, where our header is already. Moves FS. */
void rom_image_withdraw(u16 place);

/* Bytes of the image that may have to stay */
u32 rom_image_most_bytes(void);

#endif
