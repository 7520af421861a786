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

/* Take memory for far code and copy it there. */
static bool install_far(void)
{
	struct rom_range range = rom_image_far(post.removable, post.cds);
	u16 kib = (u16)((range.end - range.first + 1023) / 1024);
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

static u32 least(u32 a, u32 b)
{
	return a < b ? a : b;
}

static enum rom_image_part choose_part(bool old)
{
	bool far_code = post.cds || post.removable;

	if (far_code && old && !post.place_kib && install_far())
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
	/* A copy of a read-only ROM: memory that holds all parts, but few entries,
	 * which no BIOS calls there
	 */
	u32 room = rom_image_room(part, old || post.place_kib
						? MOST_BYTES_WITHOUT_PMM
						: rom_image_file_bytes());

	if (old)
		take_slack();
	rom_image_install(post.place,
			  post.bios == PNP_CALLS_NONE
				  ? 0
				  : least(workspace.int13.disks, room),
			  part);
}
