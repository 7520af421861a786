/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Virtual DMA Services: in virtual-8086 mode a memory manager may map an
 * address to other memory than a bus master finds there.
 * [VDS 1.0 "Programming considerations"]
 */
#ifndef PC_VDS_H
#define PC_VDS_H

#include "bda.h"
#include "phys.h"

/* Does the CPU run in virtual-8086 mode, which asks for these services? */
bool vds_in_v86_mode(void);

/* Are these services there, and needed? Moves FS. */
static inline bool vds_needed(void)
{
	bda_open();
	return FAR8(BDA_VDS) & BDA_VDS_PRESENT && vds_in_v86_mode();
}

#define VDS_MOST_PAGES 5 /* 16 KiB from anywhere */

/* The locked memory, in the form in which the services unlock it: their DMA
 * descriptor structure, and the head of the extended one.
 */
struct vds_region {
	u32 bytes;
	u32 offset;
	u16 segment; /* 0: offset is a linear address */
	u16 buffer;
	union {
		u32 address;
		struct {
			u16 room, used;
		};
	};
};

struct vds_pages {
	struct vds_region region;
	struct phys_range page[VDS_MOST_PAGES + 1]; /* one for the caller */
	bool scattered; /* locked page by page */
	bool to_device;
};

/* Lock memory that must lie together and stay where it is, until it is
 * released. *address is its linear address outside, its bus address inside.
 * No bytes are always held. False, and nothing held, if that cannot be done.
 * Moves FS.
 */
bool vds_hold(u32 bytes, u32 *address);
void vds_release(u32 linear, u32 bytes, u32 *address);

/* Lock a data buffer, by pages if there are few enough: the number of pages
 * filled in, or 0 if it cannot be done. With `to_device` its content is needed;
 * without, it will be new (that field is the caller's to set). Pages may lie in
 * a buffer of the services; then unlocking copies, and if that fails the data
 * has not arrived. Moves FS.
 */
u32 vds_lock(struct vds_pages *pages, u32 linear, u32 bytes);
bool vds_unlock(struct vds_pages *pages);

#endif
