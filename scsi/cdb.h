/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Builds command blocks [SCSI-2 "All device types", "Direct-access devices"].
 * Each function clears the request and fills target, LUN, CDB and time-out;
 * the caller adds the data address. Pure: no I/O.
 */
#ifndef SCSI_CDB_H
#define SCSI_CDB_H

#include "scsi.h"

void cdb_test_unit_ready(struct hba_request *, struct scsi_device);
void cdb_request_sense(struct hba_request *, struct scsi_device);
void cdb_inquiry(struct hba_request *, struct scsi_device);
void cdb_start_unit(struct hba_request *, struct scsi_device);
void cdb_read_capacity10(struct hba_request *, struct scsi_device);

/* blocks 1 to 65535 from lba; data_bytes must be set to match. */
void cdb_read10(struct hba_request *, struct scsi_device, u32 lba, u16 blocks);

#endif
