/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * A transfer between sectors of a drive and the caller's buffer. The same
 * structure is used from the INT 13h function down to the SCSI command.
 */
#ifndef INT13_JOB_H
#define INT13_JOB_H

#include "pc/vds.h"
#include "scsi/disk.h"

struct int13_job {
	/* in */
	u64 lba;    /* first sector */
	u32 count;  /* sectors */
	u32 buffer; /* linear address */
	u32 room;   /* bytes from there to the end of what the caller can address */
	u8 action;  /* enum disk_action */
	/* out */
	u32 done; /* sectors from the start that were transferred */
	/* The current piece: one SCSI command, `done` sectors from the start. */
	u32 sectors; /* in the piece; after it: those transferred */
	u32 ahead; /* sectors of its first block before the wanted ones */
	struct disk_job piece;
	struct vds_pages memory; /* list for piece.request.more: pages of the
				  * buffer, then the rest of the last block */
};

/* Linear address to which a BIOS reads a boot sector, and where it starts it */
#define BOOT_PLACE 0x7c00u

/* End of the memory that a seg:off pair can address, up to FFFF:FFFFh */
#define REAL_MODE_END 0x10fff0u

/* Set the buffer of a caller that passed a seg:off pair, here as a linear
 * address.
 */
static inline void int13_job_set_buffer(struct int13_job *job, u32 linear)
{
	job->buffer = linear;
	job->room = REAL_MODE_END - linear;
}

#endif
