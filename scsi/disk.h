/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * What INT 13h asks of a disk.
 */
#ifndef SCSI_DISK_H
#define SCSI_DISK_H

#include "scsi.h"

/* TEST UNIT READY until the device is ready or patience_ms is over;
 * UNIT ATTENTIONs are drained and a stopped unit is started.
 */
enum scsi_result disk_ready(struct scsi_bus *bus, struct scsi_device device,
			    u32 patience_ms);

/* READ(10): blocks of block_bytes, together less than 64 KiB, from lba to the
 * bus address.
 * Success means that every byte arrived.
 */
enum scsi_result disk_read(struct scsi_bus *bus, struct scsi_device device,
			   u32 lba, u16 blocks, u32 block_bytes, u32 address);

#endif
