/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * A copy is a ROM image with our signature and a valid workspace, which is for
 * the same controller: the one that a remnant of an earlier boot names may
 * belong to another copy by now. It lies in the area of ROMs, or in RAM that it
 * has allocated in that area or at the top of conventional memory.
 */
#include "copies.h"

#include "rom/layout.h"
#include "pc/bda.h"
#include "pc/far.h"
#include "rom/workspace.h"

#define PARAGRAPHS_PER_KIB 64
#define VIDEO_SEGMENT 0xa000
#define END_OF_ROMS 0xf000
#define ROM_BEGINS 0xaa55
#define ANY 0x10000u /* no PCI address */

/* `top` is the end of free conventional memory: a workspace below it is not
 * valid.
 */
static bool is_copy(u16 segment, u32 wanted, u32 top)
{
	far_open(segment);
	u16 pci_address = FAR16(ROM_CONTROLLER);
	if (FAR16(0) != ROM_BEGINS || FAR32(ROM_SIGNATURE) != ROM_OURS ||
	    (wanted != ANY && pci_address != wanted) ||
	    FAR16(ROM_WORKSPACE_SEGMENT) < top)
		return false;
	far_open(FAR16(ROM_WORKSPACE_SEGMENT));
	return FAR32(0) == STACK_CANARY &&
	       FAR16(FIELD(int13.pci_address)) == pci_address;
}

/* Find a copy for that controller, or any. Returns the controller's address, or ANY if there
 * is none.
 */
static u32 find(u16 place, u32 wanted)
{
	bda_open();
	u32 top = FAR16(BDA_MEMORY_KIB) * PARAGRAPHS_PER_KIB;

	for (u32 segment = top; segment < END_OF_ROMS; segment++) {
		if (segment >= VIDEO_SEGMENT && segment < FIRST_ROM_SEGMENT)
			segment = FIRST_ROM_SEGMENT;
		if (segment != place && is_copy((u16)segment, wanted, top)) {
			far_open((u16)segment);
			return FAR16(ROM_CONTROLLER);
		}
	}
	return ANY;
}

bool copies_serve(u16 place, u16 pci_address)
{
	return find(place, pci_address) != ANY;
}

bool copies_exist(u16 place, u16 *pci_address)
{
	u32 found = find(place, ANY);

	*pci_address = (u16)found;
	return found != ANY;
}
