/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Finding out, during POST, what lives at an ID.
 */
#ifndef SCSI_SCAN_H
#define SCSI_SCAN_H

#include "scsi.h"

/* The INQUIRY data we use [SCSI-2 "INQUIRY command"], 36 bytes as received. */
struct scsi_inquiry {
	u8 type; /* qualifier in bits 7:5 */
	u8 removable;
	u8 version;
	u8 format;
	u8 additional_bytes;
	u8 flags[3];
	u8 vendor[8];
	u8 product[16];
	u8 revision[4];
};

#define INQUIRY_TYPE_DISK 0x00

struct scsi_capacity {
	u32 blocks;
	u32 block_bytes;
};

/* INQUIRY. `answer` must lie in DMA-able memory; bytes the device did not
 * send are zero. SCSI_NO_TARGET if the ID is free or the LUN absent.
 */
enum scsi_result scan_inquiry(struct scsi_bus *bus, struct scsi_device device,
			      struct scsi_inquiry *answer);

/* READ CAPACITY(10). 8 bytes of DMA-able memory at `raw` take the answer. A
 * disk of more than 2^32 - 1 blocks is cut there.
 */
enum scsi_result scan_capacity(struct scsi_bus *bus,
			       struct scsi_device device, u8 *raw,
			       struct scsi_capacity *capacity);

#endif
