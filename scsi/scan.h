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
#define INQUIRY_TYPE_CD 0x05
#define INQUIRY_TYPE_OPTICAL 0x07

#define INQUIRY_REMOVABLE 0x80 /* in `removable` */
#define INQUIRY_VERSION_MASK 0x07
#define INQUIRY_VERSION_SCSI2 2

/* INQUIRY. `answer` must lie in DMA-able memory; bytes the device did not
 * send are zero. SCSI_NO_TARGET if the ID is free or the LUN absent.
 */
enum scsi_result scan_inquiry(struct scsi_bus *bus,
			      const struct scsi_device *device,
			      struct scsi_inquiry *answer);

/* REPORT LUNS [SPC-3]: bit n of *luns for LUN n, 0 to 7; LUN 0 is always one
 * of them. What else the list names cannot be reached by us.
 */
enum scsi_result scan_luns(struct scsi_bus *bus,
			   const struct scsi_device *device, u8 *luns);

#endif
