/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Changes the ROM image that init runs in, and copies its resident part.
 * `place` is the segment of that copy.
 */
#ifndef ROM_ROM_IMAGE_H
#define ROM_ROM_IMAGE_H

#include "pc/post/text.h"

/* Prepare the boot entry of a unit in that slot (0 to MOST_DISKS - 1). `product`
 * is the text for boot menus, cut off at PNP_PRODUCT_BYTES - 1. Moves FS.
 */
void rom_image_set_entry(u32 slot, const struct text *product);

/* Exchange the entry of that slot and the next one. */
void rom_image_swap_with_next(u32 slot);

/* Set the segment of the workspace, and the controller that this copy serves:
 * other copies read it. Moves FS.
 */
void rom_image_set_owner(u16 workspace, u16 pci_address);

/* Can the place be written? Changes its ROM_WORKSPACE_SEGMENT. Moves FS. */
bool rom_image_fits_into(u16 place);

/* How much of the ROM image stays resident (rom.ld). Boot entries follow it. */
enum rom_image_part {
	ROM_IMAGE_PLAIN,
	ROM_IMAGE_WITH_EXTRA, /* up to the end of .extra */
	ROM_IMAGE_WITH_FAR_ROM, /* up to the end of .far_rom: far code lies elsewhere */
	ROM_IMAGE_WITH_REMOVABLE, /* up to the end of .gates */
	ROM_IMAGE_WITH_CD, /* up to the end of .cd */
};

/* How many boot entries fit into that many bytes together with the part. */
u32 rom_image_room(enum rom_image_part part, u32 bytes);

/* Size in KiB of the part with `count` boot entries. */
u16 rom_image_part_kib(enum rom_image_part part, u32 count);

/* Complete `count` boot entries, set lengths and checksum, and copy the resident
 * part to its place. Moves FS.
 */
void rom_image_install(u16 place, u32 count, enum rom_image_part part);

/* The far code for such drives: offsets of its begin and end */
struct rom_range {
	u16 first, end;
};
struct rom_range rom_image_far(bool removable, bool cds);

/* Copy far code into memory of its own, to run together with the resident image at
 * `place`. Call it before rom_image_install() with ROM_IMAGE_WITH_FAR_ROM. Returns the
 * sum of its dwords. Moves FS.
 */
u32 rom_image_install_far(u16 place, u16 memory, struct rom_range range);

/* Size in bytes of the ROM file, as its header says */
u32 rom_image_file_bytes(void);

/* Copy only a header with length 0 to the place: the BIOS keeps nothing of
 * the ROM. Moves FS.
 */
void rom_image_install_empty(u16 place);

/* The same for a place that has our header already. Moves FS. */
void rom_image_withdraw(u16 place);

/* Size in bytes of the largest resident part, without boot entries */
u32 rom_image_most_bytes(void);

#endif
