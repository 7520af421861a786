/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * What one SCSI command does of a caller's request (transfer.c).
 */
#ifndef INT13_TRANSFER_H
#define INT13_TRANSFER_H

#include "pc/vds.h"
#include "scsi/disk.h"

struct piece {
	u64 lba;
	u32 buffer;
	u32 sectors;
	u8 action; /* enum disk_action */
	u32 ahead; /* sectors of the first block that are not wanted */
	struct disk_job job;
	struct vds_pages memory; /* the caller's, then the block buffer's for
				  * the rest of the last block */
};

#endif
