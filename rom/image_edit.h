/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Changes to the ROM image while it is writable: boot entries and length.
 * `image` is the segment of the image that stays after init.
 */
#ifndef ROM_IMAGE_EDIT_H
#define ROM_IMAGE_EDIT_H

#include "pc/text.h"

/* Write the boot entry of a disk (0 to PNP_SLOTS - 1). */
void image_set_entry(u16 image, u32 slot, const struct text *product);

/* Make it one that boots, in place of one that connects a disk. */
void image_set_bootstrap(u16 image, u32 slot);

/* Chain the boot entries in this order of slots; a BIOS lists and boots them
 * so.
 */
void image_link_entries(u16 image, const u8 *order, u32 entries);

/* Keep the first `entries` boot entries and everything before them, or all
 * that CDs need, and give back the rest of the image; no entries: all of it,
 * length 0. Lengths and checksums are right afterwards.
 */
void image_shrink(u16 image, u32 entries, bool cds);

/* Remember our RAM's segment in the image. False if that cannot be written. */
bool image_set_workspace(u16 image, u16 segment);

/* And the controller, for other copies */
void image_set_controller(u16 image, u16 pci_address);

/* Bytes of the image that may have to stay */
u32 image_most_bytes(void);

#endif
