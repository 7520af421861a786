/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Addresses as a bus master sees them. Only this file turns pointers and
 * seg:off pairs into bus addresses.
 */
#ifndef PC_PHYS_H
#define PC_PHYS_H

#include "types.h"

static inline u32 phys_of_far(u16 segment, u16 offset)
{
	return (u32)segment * 16 + offset;
}

/* Bus address of an object in the workspace (DS). */
static inline u32 phys_of(const volatile void *object)
{
	u16 segment;
	__asm__("movw %%ds, %0" : "=r"(segment));
	return (u32)segment * 16 + (u32)object;
}

#endif
