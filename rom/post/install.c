/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Chooses the parts of the ROM image that stay resident, and their places. A BIOS
 * without PMM is of the 1990s: some of these hang in POST if more than 16 KiB stay
 * in the area of ROMs. There, the code for CDs lies in conventional memory.
 */
#include "install.h"

#include "memory.h"
#include "pc/bda.h"
#include "pc/post/pmm.h"
#include "rom/workspace.h"
#include "rom_image.h"
#include "state.h"

#define MOST_BYTES_WITHOUT_PMM 16384

/* Take memory for the code for CDs and copy it there. */
static bool install_cd(void)
{
	u16 kib = (u16)((rom_image_cd_bytes() + 1023) / 1024);
	u16 memory = memory_take(kib, true);

	if (!memory)
		return false;
	workspace.cd_kib = (u8)kib;
	workspace.cd_sum = rom_image_install_cd(post.place, memory);
	return true;
}

/* Some BIOSes without PMM enlarge the EBDA after the ROM scan: they lower 40:13h by
 * 1 KiB and let the EBDA begin there with a size of 2 KiB, the upper one of which is
 * the lowest that init has taken. So leave that one unused.
 */
static void take_slack(void)
{
	(void)memory_take(SLACK_KIB, true);
	bda_open();
	workspace.lowest_kib = FAR16(BDA_MEMORY_KIB);
}

static u32 least(u32 a, u32 b)
{
	return a < b ? a : b;
}

/* How many boot entries are of use? PNP_CALLS_FIRST: the first one connects all
 * disks.
 */
static u32 useful_entries(void)
{
	switch (post.bios) {
	case PNP_CALLS_NONE:
		return 0;
	case PNP_CALLS_FIRST:
		return 1;
	case PNP_CALLS_ENTRIES:
	case PNP_MAY_CALL:
		break;
	}
	return workspace.int13.disks;
}

void install_resident(void)
{
	bool old = !pmm_present();
	bool apart = post.cds && old && !post.place_kib && install_cd();
	enum rom_image_part part = apart      ? ROM_IMAGE_WITH_CD_ROM
				   : post.cds ? ROM_IMAGE_WITH_CD
				   : post.removable ||
						     post.bios != PNP_CALLS_ENTRIES
					   ? ROM_IMAGE_WITH_EXTRA
					   : ROM_IMAGE_PLAIN;
	u32 room = rom_image_room(part, old ? MOST_BYTES_WITHOUT_PMM
					    : rom_image_file_bytes());

	if (old)
		take_slack();
	rom_image_install(post.place, least(useful_entries(), room), part);
}
