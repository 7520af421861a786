/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Bus addresses: addresses that a bus master uses. Only this file and vds.c
 * convert pointers and seg:off pairs to bus addresses. phys_of() is part of
 * the machine interface (types.h); the rest is for real mode only.
 */
#ifndef PC_PHYS_H
#define PC_PHYS_H

#include "range.h"
#include "types.h"

#define OWN_MEMORY_BYTES 1920 /* that the chip uses, at offset 0 of DS */

#define WORKSPACE_BYTES 3072 /* all of the workspace */

/* Bus address and linear address of the workspace (offset 0 of DS); rom.ld places
 * them there.
 */
extern u32 phys_base, linear_base;

/* Linear address of segment:offset */
static inline u32 linear_of(u16 segment, u16 offset)
{
	return (u32)segment * 16 + offset;
}

/* The segment of our own memory */
static inline u16 own_segment(void)
{
	u16 segment;
	__asm__("movw %%ds, %0" : "=r"(segment));
	return segment;
}

/* Set linear_base to the linear address of DS:0, and phys_base too: it is the bus
 * address unless VDS is needed.
 */
static inline void phys_identity(void)
{
	linear_base = phys_base = linear_of(own_segment(), 0);
}

/* Bus address of an object in the driver's own memory, here the workspace
 * (DS).
 */
static inline u32 phys_of(const volatile void *object)
{
	return phys_base + (u32)object;
}

#endif
