/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Virtual DMA Services. In virtual-8086 mode a memory manager may map linear
 * addresses to other bus addresses; these services translate them and lock
 * the memory. [VDS 1.0 "Programming considerations"]
 */
#ifndef PC_VDS_H
#define PC_VDS_H

#include "phys.h"

#define CR0_PE 1

/* Does the CPU run in virtual-8086 mode? Only then the services are needed. MOV
 * from CR0 would fault there.
 */
static inline bool vds_in_v86_mode(void)
{
	u32 machine_status;

	__asm__ volatile("smsw %0" : "=r"(machine_status));
	return machine_status & CR0_PE;
}

/* Are the services there? The memory manager says so, and they answer. Moves FS. */
bool vds_answers(void);

#define VDS_MOST_PAGES 5 /* 16 KiB from anywhere */

/* The description of locked memory that the services need to unlock it: their
 * DMA descriptor structure, or the head of the extended one.
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
	struct phys_range page[VDS_MOST_PAGES + 1]; /* one more for callers */
	bool scattered; /* locked page by page */
	bool to_device;
};

/* vds_hold() locks memory of ours that must be contiguous on the bus, and replaces
 * its linear address *address with the bus address. False, and nothing
 * changes, if there are no services, if it cannot be locked, or if the answer cannot
 * be its address; 0 bytes always succeed. vds_release()
 * unlocks it and sets *address to `linear` again. Moves FS.
 */
bool vds_hold(u32 bytes, u32 *address);
void vds_release(u32 linear, u32 bytes, u32 *address);

/* vds_lock() locks a data buffer, page by page if it has few enough pages,
 * and returns the number of pages it has set, or 0 if the buffer cannot be
 * locked. The caller sets pages->to_device first: true if the chip reads the
 * buffer. The pages may belong to a buffer of the services, from which
 * vds_unlock() copies the data; if vds_unlock() returns false, the data has
 * not arrived. Moves FS.
 */
u32 vds_lock(struct vds_pages *pages, u32 linear, u32 bytes);
bool vds_unlock(struct vds_pages *pages);

#endif
