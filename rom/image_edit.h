/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Changes to the ROM image while it is writable: boot entries and length.
 */
#ifndef ROM_IMAGE_EDIT_H
#define ROM_IMAGE_EDIT_H

#include "pc/text.h"

/* Write the text of a boot entry (0 to PNP_SLOTS - 1). */
void image_set_entry(u32 slot, const struct text *product);

/* Chain the boot entries in this order of slots; a BIOS lists and boots them
 * so.
 */
void image_link_entries(const u8 *order, u32 entries);

/* Keep the first `entries` boot entries and everything before them, and give
 * back the rest of the image; none: all of it, length 0. Lengths and
 * checksums are right afterwards.
 */
void image_shrink(u32 entries);

/* Remember our RAM's segment in the image. */
void image_set_workspace(u16 segment);
u16 image_workspace(void);

#endif
