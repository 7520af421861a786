/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Finds the $PnP structure and requests the BBS version, to find out what the
 * BIOS does with boot entries.
 * [PnP-BIOS 1.0A "Installation structure"; BBS 1.01 "Get version"]
 */
#include "pnp.h"

#include "pc/bios.h"
#include "pc/far.h"
#include "pc/phys.h"
#include "pmm.h"
#include "table.h"

#define PNP_SIGNATURE 0x506e5024u /* "$PnP" */
#define PNP_BYTES 0x21
#define PNP_ENTRY 0x0d	 /* dword: real-mode entry point */
#define PNP_SEGMENT 0x1b /* word: the data segment to pass */

#define GET_BBS_VERSION 0x60

#define BIOS_AREA 0xe0000u /* linear */

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

/* Does ES:DI point at $PnP? SeaBIOS without PnP has only the signature. */
static bool points_at_pnp(u16 es, u16 di)
{
	far_open(es);
	return linear_of(es, di) >= BIOS_AREA && di <= 0xfffc &&
	       FAR32(di) == PNP_SIGNATURE;
}

/* Function 60h counts only if there is a PMM, as on every BIOS that calls all
 * boot entries: the Bochs BIOS answers it too. SeaBIOS for microvm has PMM and
 * calls boot entries, but does not answer. Seen on boards of the 1990s: none
 * answers, and only those on which ES:DI points at $PnP call an entry in time.
 */
enum pnp_calls pnp_boot_entries(u16 es, u16 di)
{
	if (pmm_present())
		return reports_bbs() ? PNP_CALLS_ENTRIES : PNP_MAY_CALL;
	return points_at_pnp(es, di) ? PNP_CALLS_FIRST : PNP_CALLS_NONE;
}
