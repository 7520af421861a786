/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * What INT 13h asks of a disk.
 */
#ifndef SCSI_DISK_H
#define SCSI_DISK_H

#include "cdb.h"

/* A six-byte command without data (CDB_... of cdb.h), carried to a final
 * result.
 */
enum scsi_result disk_simple(struct scsi_bus *bus,
			     const struct scsi_device *device, u32 command);

struct disk_capacity {
	u64 blocks;
	u32 block_bytes;
};

/* READ CAPACITY(10), and (16) where the former cannot say it. */
enum scsi_result disk_capacity(struct scsi_bus *bus,
			       const struct scsi_device *device,
			       struct disk_capacity *capacity);

/* What is done with blocks of a disk [SCSI-2 "Direct-access devices"]. */
enum disk_action {
	DISK_READ,
	DISK_WRITE,
	DISK_WRITE_VERIFY, /* the disk reads back what it has written */
	DISK_VERIFY,	   /* the disk reads without a transfer */
	DISK_SEEK,	   /* to the first block */
	DISK_READ_NOWHERE, /* a read whose data is thrown away */
};

static inline bool writes(u8 action)
{
	return action == DISK_WRITE || action == DISK_WRITE_VERIFY;
}

/* Reading, writing, verifying or seeking blocks, with the request in which it
 * goes to the chip. It lies in DMA-able memory, as the request must.
 */
struct disk_job {
	/* in */
	struct scsi_blocks blocks; /* lba and count: less than 64 KiB in all */
	u8 action;	/* enum disk_action; changed on return */
	u8 block_shift; /* a block has 1 << block_shift bytes */
	struct hba_request request; /* in: data and more, where the blocks lie */
	/* out */
	u32 done; /* blocks from the start that are good, unless all are */
};

/* Do the job. Success means that every byte moved; job->done counts only
 * otherwise. What a disk does not know
 * is done in another way: writing and verifying by two commands, verifying by
 * reads, seeking not at all.
 */
enum scsi_result disk_do(struct scsi_bus *bus,
			 const struct scsi_device *device,
			 struct disk_job *job);

#endif
