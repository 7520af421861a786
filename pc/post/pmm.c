/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Finds the $PMM structure and calls it [PMM 1.01 sections 2 and 3].
 */
#include "pmm.h"

#include "pc/bios.h"
#include "pc/far.h"
#include "table.h"

#define PMM_SIGNATURE 0x4d4d5024u /* "$PMM" */
#define PMM_BYTES 0x0b /* all that we use */
#define PMM_ENTRY 0x07

#define PMM_ALLOCATE 0
#define PMM_DEALLOCATE 2
#define PMM_CONVENTIONAL 0x0001
#define PMM_PERMANENT 0x0008
#define PMM_ANONYMOUS 0xffff /* each half of the handle */

u32 pmm_entry(void)
{
	return table_open(PMM_SIGNATURE, PMM_BYTES) ? FAR32(PMM_ENTRY) : 0;
}

bool pmm_present(void)
{
	return pmm_entry() != 0;
}

u16 pmm_allocate(u32 len_bytes, bool permanent)
{
	u32 paragraphs = len_bytes / 16;
	u16 words[] = {
		PMM_ALLOCATE,
		(u16)paragraphs,
		(u16)(paragraphs >> 16),
		PMM_ANONYMOUS,
		PMM_ANONYMOUS,
		permanent ? PMM_CONVENTIONAL | PMM_PERMANENT
			  : PMM_CONVENTIONAL,
	};
	u32 entry = pmm_entry();

	if (!entry)
		return 0;
	u32 address = bios_far_call(entry, words, ARRAY_SIZE(words));
	/* 0: no memory; FFFFFFFFh: not supported; above 1 MiB: not usable */
	if (address + len_bytes > 0x100000 || address & 15 || address > 0xfffff)
		return 0;
	return (u16)(address >> 4);
}

void pmm_free(u16 segment)
{
	u16 words[] = {
		PMM_DEALLOCATE,
		(u16)(segment << 4),
		segment >> 12,
	};
	u32 entry = pmm_entry();

	if (entry)
		(void)bios_far_call(entry, words, ARRAY_SIZE(words));
}
