/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Sectors of a drive and a caller's buffer: one structure from the INT 13h
 * function to the SCSI command.
 */
#ifndef INT13_JOB_H
#define INT13_JOB_H

#include "pc/vds.h"
#include "scsi/disk.h"

struct int13_job {
	/* in */
	u64 lba;    /* of the first sector */
	u32 count;  /* of sectors */
	u32 buffer; /* linear address */
	u32 room;   /* bytes that lie there, as far as the caller can mean them */
	u8 action;  /* enum disk_action */
	/* out */
	u32 done; /* sectors from the start that are good */
	/* The piece under way, which takes one SCSI command; it begins `done`
	 * sectors from the start.
	 */
	u32 sectors; /* in the piece; once it is done: that are good */
	u32 ahead; /* sectors of its first block that are not wanted */
	struct disk_job piece;
	struct vds_pages memory; /* after piece.request.data: the buffer's pages,
				  * then the rest of the last block */
};

/* What a seg:off pair can name: up to FFFF:FFFFh. */
#define REAL_MODE_END 0x10fff0u

/* Set the buffer to a real-mode address, given as a linear one. */
static inline void int13_job_set_buffer(struct int13_job *job, u32 linear)
{
	job->buffer = linear;
	job->room = REAL_MODE_END - linear;
}

#endif
