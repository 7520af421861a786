/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Finds the $PnP structure and requests the BBS version.
 * [PnP-BIOS 1.0A "Installation structure"; BBS 1.01 "Get version"]
 */
#include "pnp.h"

#include "pc/bios.h"
#include "pc/far.h"
#include "pmm.h"
#include "table.h"

#define PNP_SIGNATURE 0x506e5024u /* "$PnP" */
#define PNP_BYTES 0x21
#define PNP_ENTRY 0x0d	 /* dword: real-mode entry point */
#define PNP_SEGMENT 0x1b /* word: the data segment to pass */

#define GET_BBS_VERSION 0x60

static u16 stack_segment(void)
{
	u16 segment;

	__asm__("movw %%ss, %0" : "=r"(segment));
	return segment;
}

/* Does the BIOS report support of the BIOS boot specification? */
static bool reports_bbs(void)
{
	volatile u16 version = 0;

	if (!table_open(PNP_SIGNATURE, PNP_BYTES) || !FAR32(PNP_ENTRY))
		return false;
	u16 words[] = {
		GET_BBS_VERSION,
		(u16)(u32)&version,
		stack_segment(),
		FAR16(PNP_SEGMENT),
	};
	u16 failure = (u16)bios_far_call(FAR32(PNP_ENTRY), words,
					 ARRAY_SIZE(words));
	return !failure && version;
}

/* The Bochs BIOS reports BBS but calls no boot entries. It has no PMM, while
 * every BIOS that calls boot entries has. SeaBIOS for microvm does not report
 * BBS, although it calls them: it is served as a BIOS without boot entries,
 * which does no harm.
 */
bool pnp_calls_boot_entries(void)
{
	return pmm_present() && reports_bbs();
}
