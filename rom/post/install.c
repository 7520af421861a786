/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Chooses the parts of the ROM image that stay resident, and their places. A BIOS
 * without PMM is of the 1990s: some of these hang in POST if more than 16 KiB stay
 * in the area of ROMs. There, far code lies in conventional memory.
 */
#include "install.h"

#include "memory.h"
#include "pc/bda.h"
#include "pc/post/pmm.h"
#include "rom/boot/extra/cd_memory.h"
#include "rom/workspace.h"
#include "rom_image.h"
#include "state.h"

#define MOST_BYTES_WITHOUT_PMM 16384

static u32 least(u32 a, u32 b)
{
	return a < b ? a : b;
}

/* The number of boot entries. A copy of a read-only ROM has few, which no BIOS calls
 * there.
 */
static u32 entries(enum rom_image_part part)
{
	u32 bytes = !pmm_present() || post.place_kib ? MOST_BYTES_WITHOUT_PMM
						     : rom_image_file_bytes();

	return post.bios == PNP_CALLS_NONE
		       ? 0
		       : least(workspace.int13.disks,
			       rom_image_room(part, bytes));
}

/* The place of a copy of a read-only ROM has room for all parts. Returns the KiB that
 * this part does not need, 0 if they cannot be given back, because other memory lies
 * below.
 */
static u16 unused_kib(enum rom_image_part part)
{
	bda_open();
	if (!post.place_kib ||
	    post.place != (u16)(FAR16(BDA_MEMORY_KIB) * PARAGRAPHS_PER_KIB))
		return 0;
	return (u16)(post.place_kib - rom_image_part_kib(part, entries(part)));
}

/* Give back the lowest KiB of the place. Seen: GRUB loads Linux up to 614 KiB (0x90000,
 * command line at 0x99000), if the BIOS's memory map does not follow 40:13h (Bochs).
 */
static void shrink_place(u16 kib)
{
	bda_open();
	FAR16(BDA_MEMORY_KIB) = (u16)(FAR16(BDA_MEMORY_KIB) + kib);
	post.place = (u16)(post.place + kib * PARAGRAPHS_PER_KIB);
	post.place_kib = (u8)(post.place_kib - kib);
}

/* Take memory for far code and copy it there. With a copy of a read-only ROM, only as
 * much as the copy then does not need: POST runs below.
 */
static bool install_far(void)
{
	struct rom_range range = rom_image_far(post.removable, post.cds);
	u16 kib = (u16)((range.end - range.first + 1023) / 1024);
	u16 unused = unused_kib(ROM_IMAGE_WITH_FAR_ROM);

	if (post.place_kib && unused < kib)
		return false;
	shrink_place(unused);
	u16 memory = memory_take(kib, true);
	if (!memory)
		return false;
	u32 sum = rom_image_install_far(post.place, memory, range);
	if (!post.removable) {
		workspace.cd_kib = (u8)kib;
		workspace.cd_sum = sum;
		workspace.int13.boot_sector_read = cd_memory_give_back;
	}
	return true;
}

/* Some BIOSes without PMM enlarge the EBDA after the ROM scan: they lower 40:13h by
 * 1 KiB and let the EBDA begin there with a size of 2 KiB, the upper one of which is
 * the lowest that init has taken. So leave that one unused.
 */
static void take_slack(void)
{
	if (!memory_take(SLACK_KIB, true))
		return; /* lowest_kib stays 0: nothing is given back or used again */
	bda_open();
	workspace.lowest_kib = FAR16(BDA_MEMORY_KIB);
}

static enum rom_image_part choose_part(bool old)
{
	bool far_code = post.cds || post.removable;

	if (far_code && old && install_far())
		return ROM_IMAGE_WITH_FAR_ROM;
	if (far_code)
		return post.cds ? ROM_IMAGE_WITH_CD : ROM_IMAGE_WITH_REMOVABLE;
	return post.bios != PNP_CALLS_ENTRIES ? ROM_IMAGE_WITH_EXTRA
					      : ROM_IMAGE_PLAIN;
}

void install_resident(void)
{
	bool old = !pmm_present();
	enum rom_image_part part = choose_part(old);

	shrink_place(unused_kib(part));
	if (old)
		take_slack();
	rom_image_install(post.place, entries(part), part);
}
