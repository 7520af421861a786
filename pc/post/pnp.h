/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Detects properties of the BIOS through its Plug and Play entry point.
 */
#ifndef PC_PNP_H
#define PC_PNP_H

#include "pc/types.h"

/* What the BIOS does with boot entries */
enum pnp_calls {
	PNP_CALLS_ENTRIES, /* all of them, as the BIOS boot specification requires */
	PNP_MAY_CALL,	   /* all of them or none */
	PNP_CALLS_FIRST,   /* at most the first one, if it connects a disk */
	PNP_CALLS_NONE, /* none, or some when it has already decided what to boot */
};

/* Find that out. ES and DI are those that the BIOS passed to init. Needs 1 KiB
 * of stack, as PnP functions do. Moves FS.
 */
enum pnp_calls pnp_boot_entries(u16 es, u16 di);

#endif
