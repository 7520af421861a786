/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Changes the ROM image that init runs in, and copies its resident part.
 * `place` is the segment of that copy.
 */
#ifndef ROM_ROM_IMAGE_H
#define ROM_ROM_IMAGE_H

#include "pc/post/text.h"

/* Write the boot entry of a disk in that slot (0 to PNP_SLOTS - 1). `product` is
 * the text for boot menus, cut off at PNP_PRODUCT_BYTES - 1. Moves FS.
 */
void rom_image_set_entry(u32 slot, const struct text *product);

/* Change the entry from one that connects a disk to one that boots a CD.
 * Moves FS.
 */
void rom_image_set_bootstrap(u32 slot);

/* Exchange the units of two boot entries that connect disks, that of `slot` and
 * of the next one. Moves FS.
 */
void rom_image_swap_with_next(u32 slot);

/* Chain the boot entries in the order of their slots, in which a BIOS lists and
 * boots them, and set their checksums. Moves FS.
 */
void rom_image_link_entries(u32 entries);

/* Set the segment of the workspace, and the controller that this copy serves:
 * other copies read it. Moves FS.
 */
void rom_image_set_owner(u16 workspace, u16 pci_address);

/* Can the place be written? Changes its ROM_WORKSPACE_SEGMENT. Moves FS. */
bool rom_image_fits_into(u16 place);

/* How much of the ROM image stays resident (rom.ld) */
enum rom_image_part {
	ROM_IMAGE_PLAIN, /* up to the last boot entry in use */
	ROM_IMAGE_WITH_EXTRA, /* up to the end of .extra */
	ROM_IMAGE_WITH_CD, /* up to the end of .cd */
};

/* Set lengths and checksum and copy the resident part to its place. `entries`
 * is the number of boot entries in use. Moves FS.
 */
void rom_image_install(u16 place, u32 entries, enum rom_image_part part);

/* Copy only a header with length 0 to the place: the BIOS keeps nothing of
 * the ROM. Moves FS.
 */
void rom_image_install_empty(u16 place);

/* The same for a place that has our header already. Moves FS. */
void rom_image_withdraw(u16 place);

/* Size in bytes of the largest resident part */
u32 rom_image_most_bytes(void);

#endif
