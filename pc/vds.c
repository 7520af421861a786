/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Calls Virtual DMA Services (INT 4Bh).
 */
#include "vds.h"

#include "bios.h"

#define VDS_INT 0x4b
#define VDS_LOCK 0x8103
#define VDS_UNLOCK 0x8104
#define VDS_LOCK_PAGES 0x8105
#define VDS_UNLOCK_PAGES 0x8106
#define VDS_COPY 0x0002 /* into the buffer at lock, out of it at unlock */
#define VDS_NO_BUFFER 0x0004
#define VDS_NO_REMAP 0x0008

#define CR0_PE 1

bool vds_in_v86_mode(void)
{
	u32 machine_status;

	__asm__("smsw %0" : "=r"(machine_status));
	return machine_status & CR0_PE;
}

static bool vds_call(struct vds_region *region, u16 function, u16 flags)
{
	struct bios_regs regs = {
		.eax = function, .edx = flags, .edi = (u32)region};

	bios_call(VDS_INT, &regs);
	return !(regs.flags & FLAGS_CF);
}

static NOT_INLINE void describe(struct vds_region *region, u32 linear,
				u32 bytes)
{
	*region = (struct vds_region){
		.bytes = bytes, .offset = linear, .room = VDS_MOST_PAGES};
}

bool vds_hold(u32 bytes, u32 *address)
{
	struct vds_region region;

	describe(&region, *address, bytes);
	if (!bytes)
		return true;
	if (!vds_call(&region, VDS_LOCK, VDS_NO_BUFFER | VDS_NO_REMAP))
		return false;
	*address = region.address;
	return true;
}

void vds_release(u32 linear, u32 bytes, u32 *address)
{
	struct vds_region region = {
		.bytes = bytes, .offset = linear, .address = *address};

	*address = linear;
	if (bytes)
		(void)vds_call(&region, VDS_UNLOCK, 0); /* a failure has no remedy */
}

/* Do the pages cover the buffer exactly, so that the chip stays within them? */
static bool pages_cover(const struct vds_pages *pages, u32 bytes)
{
	u32 used = pages->region.used;

	for (u32 i = 0; i < used && i < VDS_MOST_PAGES; i++)
		bytes -= pages->page[i].bytes;
	return bytes == 0 && used <= VDS_MOST_PAGES;
}

u32 vds_lock(struct vds_pages *pages, u32 linear, u32 bytes)
{
	struct vds_region *region = &pages->region;

	describe(region, linear, bytes);
	pages->scattered = vds_call(region, VDS_LOCK_PAGES, 0);
	if (pages->scattered) {
		if (pages_cover(pages, bytes))
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
