/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Simple commands, capacity, and operations on the blocks of a disk.
 */
#ifndef SCSI_DISK_H
#define SCSI_DISK_H

#include "cdb.h"

/* Do a six-byte command without data (CDB_... of cdb.h), with retries. */
enum scsi_result disk_simple(struct scsi_bus *bus,
			     const struct scsi_device *device, u32 command);

/* TEST UNIT READY with *request as memory for the command, which does not fit the
 * stack a second time.
 */
enum scsi_result disk_ready_by(struct scsi_bus *bus,
			       const struct scsi_device *device,
			       struct hba_request *request);

struct disk_capacity {
	u64 blocks;
	u32 block_bytes;
};

/* Read the capacity by READ CAPACITY(10), and by READ CAPACITY(16) if the
 * disk has more than 2^32 - 1 blocks. A disk that rejects the latter has 2^32
 * blocks. SCSI_HARDWARE_ERROR if the answers contradict each other.
 */
enum scsi_result disk_capacity(struct scsi_bus *bus,
			       const struct scsi_device *device,
			       struct disk_capacity *capacity);

/* Ask a CD-ROM drive to have blocks of that size, until it is reset (media/blocks.c).
 * SCSI_ILLEGAL_REQUEST if it refuses, or is of another type.
 */
enum scsi_result disk_set_block_bytes(struct scsi_bus *bus,
				      const struct scsi_device *device,
				      u32 bytes);

/* Set *first to the first block of the last session of a CD, or to 0 if the drive
 * reports none: with one session, or if the command fails (cd/session.c). It is
 * a block of the present size [SCSI-2 "CD-ROM media organization"].
 */
enum scsi_result disk_last_session(struct scsi_bus *bus,
				   const struct scsi_device *device,
				   u32 *first);

/* Operations on blocks of a disk [SCSI-2 "Direct-access devices"] */
enum disk_action {
	DISK_READ,
	DISK_WRITE,
	DISK_WRITE_VERIFY, /* the disk reads back what it has written */
	DISK_VERIFY,	   /* the disk reads without a transfer */
	DISK_SEEK,	   /* to the first block */
	DISK_READ_NOWHERE, /* a read whose data is discarded */
};

static inline bool disk_action_writes(u8 action)
{
	return action == DISK_WRITE || action == DISK_WRITE_VERIFY;
}

/* One operation on blocks, and the request that the chip driver gets for it.
 * Must lie in DMA-able memory.
 */
struct disk_job {
	/* in */
	struct scsi_blocks blocks; /* lba and count: less than 64 KiB in all */
	u8 action;	/* enum disk_action; changed on return */
	u8 block_shift; /* a block has 1 << block_shift bytes */
	struct hba_request request; /* in: data and more, the memory */
	/* out */
	u32 done; /* after an error: blocks from the start that were done */
};

/* Do the job. SCSI_OK means that every byte was transferred; otherwise
 * job->done is valid. If a disk rejects a command, it is replaced: WRITE AND
 * VERIFY by two commands, VERIFY by reads whose data is discarded, and SEEK
 * by nothing.
 */
enum scsi_result disk_do(struct scsi_bus *bus,
			 const struct scsi_device *device,
			 struct disk_job *job);

#endif
