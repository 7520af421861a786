/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Builds command blocks [SCSI-2 "All device types", "Direct-access devices";
 * SPC-3 and SBC-2 for the long ones]. Each function sets target, LUN, CDB,
 * data length and time limits of the request; the caller adds the address of
 * the data, and `more` if there are several parts. Pure: no I/O.
 */
#ifndef SCSI_CDB_H
#define SCSI_CDB_H

#include "scsi.h"

#define SHORT_TIMEOUT_MS 5000  /* the target need not access the medium */
#define MEDIA_TIMEOUT_MS (HBA_MEDIA_TIMEOUT_S * 1000) /* it must */
#define SPIN_UP_TIMEOUT_MS 60000
#define PATIENCE_MS 5000

/* Six-byte commands without data as one number: operation code in bits 7:0,
 * byte 4 of the CDB in 15:8, and in 31:16 the time in ms to wait for a device
 * that is not ready.
 */
#define CDB_PATIENCE(ms) ((u32)(ms) << 16)
#define CDB_TEST_UNIT_READY 0x0000
#define CDB_STOP_AND_EJECT 0x021b /* START STOP UNIT, LoEj */
#define CDB_START_UNIT 0x011b
#define CDB_PREVENT_REMOVAL 0x011e
#define CDB_ALLOW_REMOVAL 0x001e
void cdb_simple(struct hba_request *, const struct scsi_device *,
		u32 command);

/* LUN bits of byte 1 (struct scsi_device) */
#define CDB_LUN_MASK 0xe0

/* REQUEST SENSE, INQUIRY, and REPORT LUNS for a list of up to `bytes` */
void cdb_request_sense(struct hba_request *, const struct scsi_device *);
#define INQUIRY_LEAST_BYTES 5 /* type to additional length */
void cdb_inquiry(struct hba_request *, const struct scsi_device *);
#define LUN_LIST_HEADER 8
void cdb_report_luns(struct hba_request *, const struct scsi_device *,
		     u32 bytes);

/* READ CAPACITY(10) with CAPACITY10_BYTES, (16) with CAPACITY16_BYTES */
#define CAPACITY10_BYTES 8
#define CAPACITY16_BYTES 32
#define CAPACITY16_LEAST_BYTES 12
void cdb_read_capacity(struct hba_request *, const struct scsi_device *,
		       u32 bytes);

/* A command on blocks. */
struct scsi_blocks {
	u64 lba;
	u32 count; /* 1 to 65535 */
	u8 opcode; /* of the 10-byte form */
};

/* A command on blocks in its 10-byte form, or in its 16-byte form if the LBA
 * of the last block needs more than 32 bits [SBC-2 "READ(10)", "READ(16)"].
 * The caller sets direction, data, data length and the time limit.
 */
void cdb_blocks(struct hba_request *, const struct scsi_device *,
		const struct scsi_blocks *);

#endif
