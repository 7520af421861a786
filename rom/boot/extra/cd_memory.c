/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Gives the memory of the code for CDs back and takes it again.
 */
#include "cd_memory.h"

#include "pc/bda.h"
#include "rom/layout.h"
#include "rom/workspace.h"

#define PARAGRAPHS_PER_KIB 64

extern const char cd_bytes[]; /* a value; rom.ld */

/* Size of conventional memory without it */
static u16 top_kib(void)
{
	return (u16)(workspace.lowest_kib + SLACK_KIB + workspace.cd_kib);
}

void cd_memory_give_back(void)
{
	bda_open();
	if (!workspace.cd_kib || workspace.int13.cd_count ||
	    FAR16(BDA_MEMORY_KIB) != workspace.lowest_kib)
		return;
	FAR16(BDA_MEMORY_KIB) = top_kib();
	workspace.cd_returned = true;
}

bool cd_memory_take(void)
{
	u32 sum = 0;

	if (!workspace.cd_returned)
		return true;
	bda_open();
	if (FAR16(BDA_MEMORY_KIB) != top_kib())
		return false;
	far_open((u16)((workspace.lowest_kib + SLACK_KIB) * PARAGRAPHS_PER_KIB));
	for (u32 i = 0; i < (u32)cd_bytes; i += 4)
		sum += FAR32(i);
	if (sum != workspace.cd_sum)
		return false;
	bda_open();
	FAR16(BDA_MEMORY_KIB) = workspace.lowest_kib;
	workspace.cd_returned = false;
	return true;
}
