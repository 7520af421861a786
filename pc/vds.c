/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Calls Virtual DMA Services (INT 4Bh).
 */
#include "vds.h"

#include "bda.h"
#include "bios.h"

#define VDS_INT 0x4b
#define VDS_VERSION 0x8102
#define VDS_LOCK 0x8103
#define VDS_UNLOCK 0x8104
#define VDS_LOCK_PAGES 0x8105
#define VDS_UNLOCK_PAGES 0x8106
#define VDS_COPY 0x0002 /* into the buffer at lock, out of it at unlock */
#define VDS_NO_BUFFER 0x0004
#define VDS_NO_REMAP 0x0008

#define PAGE_MASK 0xfffu
#define LOWEST_FREE 0x1000u /* the page before has the interrupt vectors */
#define VIDEO_BEGIN 0xa0000u
#define MIB 0x100000u

/* Call a service. False if it fails or there are no services: a handler of the
 * interrupt that does nothing leaves AX as it was, which VDS_VERSION does not.
 */
static bool vds_call(struct vds_region *region, u32 function, u32 flags)
{
	struct bios_regs regs = {
		.eax = function, .edx = flags, .edi = (u32)region};

	bda_open();
	if (!(FAR8(BDA_VDS) & BDA_VDS_PRESENT))
		return false;
	bios_call(VDS_INT, &regs);
	return !(regs.flags & FLAGS_CF) && (u16)regs.eax != VDS_VERSION;
}

bool vds_answers(void)
{
	return vds_call(NULL, VDS_VERSION, 0);
}

static NOT_INLINE void describe(struct vds_region *region, u32 linear,
				u32 bytes)
{
	*region = (struct vds_region){
		.bytes = bytes, .offset = linear, .room = VDS_MOST_PAGES};
}

/* Can our memory lie at that bus address? It has the same place in its page. Where
 * the interrupt vectors, video memory or a ROM are, it is only if it is not moved.
 */
static bool can_lie(u32 linear, u32 address, u32 bytes)
{
	return address == linear ||
	       (!((u16)(address ^ linear) & PAGE_MASK) &&
		address + bytes >= LOWEST_FREE + bytes &&
		address - VIDEO_BEGIN >= MIB - VIDEO_BEGIN);
}

bool vds_hold(u32 bytes, u32 *address)
{
	struct vds_region region;
	u32 linear = *address;

	describe(&region, linear, bytes);
	if (!bytes)
		return true;
	if (!vds_call(&region, VDS_LOCK, VDS_NO_BUFFER | VDS_NO_REMAP))
		return false;
	*address = region.address;
	if (can_lie(linear, *address, bytes))
		return true;
	vds_release(linear, bytes, address);
	return false;
}

void vds_release(u32 linear, u32 bytes, u32 *address)
{
	struct vds_region region = {
		.bytes = bytes, .offset = linear, .address = *address};

	*address = linear;
	if (bytes)
		(void)vds_call(&region, VDS_UNLOCK, 0); /* a failure has no remedy */
}

/* Can the pages be those of the buffer? They cover it exactly, so that the chip
 * stays within them, and each has the same place in its page.
 */
static bool pages_cover(const struct vds_pages *pages, u32 linear, u32 bytes)
{
	u32 used = pages->region.used, end = linear + bytes;

	if (used > VDS_MOST_PAGES)
		return false;
	for (u32 i = 0; i < used; i++) {
		if ((u16)(pages->page[i].address ^ linear) & PAGE_MASK)
			return false;
		linear += pages->page[i].bytes;
	}
	return linear == end;
}

u32 vds_lock(struct vds_pages *pages, u32 linear, u32 bytes)
{
	struct vds_region *region = &pages->region;

	describe(region, linear, bytes);
	pages->scattered = vds_call(region, VDS_LOCK_PAGES, 0);
	if (pages->scattered) {
		if (pages_cover(pages, linear, bytes))
			return region->used;
		(void)vds_unlock(pages); /* no data has been transferred */
		return 0;
	}
	describe(region, linear, bytes);
	if (!vds_call(region, VDS_LOCK, pages->to_device ? VDS_COPY : 0))
		return 0;
	pages->page[0] = (struct phys_range){region->address, bytes};
	return 1;
}

bool vds_unlock(struct vds_pages *pages)
{
	if (pages->scattered)
		return vds_call(&pages->region, VDS_UNLOCK_PAGES, 0);
	return vds_call(&pages->region, VDS_UNLOCK,
			pages->to_device ? 0 : VDS_COPY);
}
