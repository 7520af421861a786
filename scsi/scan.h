/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Identifies the device at an ID and its LUNs, during POST.
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

/* Send INQUIRY. `answer` must lie in DMA-able memory; bytes that the device
 * did not send are zero. SCSI_NO_TARGET if no target has the ID or it has no
 * such LUN. A target that rejects the command for a LUN above 0 has no such LUN.
 */
enum scsi_result scan_inquiry(struct scsi_bus *bus,
			      const struct scsi_device *device,
			      struct scsi_inquiry *answer);

/* Is the unit ready? *stopped: no, and it requires START UNIT. Does not wait. */
bool scan_is_ready(struct scsi_bus *bus, const struct scsi_device *device,
		   bool *stopped);

/* Send START UNIT. Does not wait until the unit is ready, so that several can spin up
 * together.
 */
void scan_start(struct scsi_bus *bus, const struct scsi_device *device);

/* Send REPORT LUNS [SPC-3]. Bit n of *luns is set for LUN n, 0 to 7; bit 0
 * always is. Other LUNs in the list are ignored, as they cannot be addressed.
 */
enum scsi_result scan_luns(struct scsi_bus *bus,
			   const struct scsi_device *device, u8 *luns);

#endif
