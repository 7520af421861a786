/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Builds command blocks [SCSI-2 "All device types", "Direct-access devices";
 * SPC-3, SBC-2 for the long ones]. Each function fills in target, LUN, CDB, data
 * length and time-outs of the request; the caller adds the data's address, and
 * `more` if it has any. Pure: no I/O.
 */
#ifndef SCSI_CDB_H
#define SCSI_CDB_H

#include "scsi.h"

#define SHORT_TIMEOUT_MS 5000  /* answered from the target's memory */
#define MEDIA_TIMEOUT_MS 10000 /* the medium is moved or read */
#define SPIN_UP_TIMEOUT_MS 60000
#define PATIENCE_MS 5000

/* Six-byte commands without data: operation code, byte 4 above it, and the
 * patience with the device in the upper half.
 */
#define CDB_PATIENCE(ms) ((u32)(ms) << 16)
#define CDB_TEST_UNIT_READY 0x0000
#define CDB_STOP_AND_EJECT 0x021b /* START STOP UNIT, LoEj */
#define CDB_START_UNIT 0x011b
#define CDB_PREVENT_REMOVAL 0x011e
#define CDB_ALLOW_REMOVAL 0x001e
void cdb_simple(struct hba_request *, const struct scsi_device *,
		u32 command);

/* Where byte 1 has the LUN, if it has it. */
#define CDB_LUN_MASK 0xe0

void cdb_request_sense(struct hba_request *, const struct scsi_device *);
#define INQUIRY_LEAST_BYTES 5 /* type to additional length */
void cdb_inquiry(struct hba_request *, const struct scsi_device *);
#define LUN_LIST_HEADER 8
void cdb_report_luns(struct hba_request *, const struct scsi_device *,
		     u32 bytes);

/* READ CAPACITY(10), or (16) if the answer may be as long as that. */
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

/* The 10-byte form, or the 16-byte form where the blocks lie beyond its reach
 * [SBC-2 "READ(10)", "READ(16)"]. The direction and the data with its length
 * are the caller's.
 */
void cdb_blocks(struct hba_request *, const struct scsi_device *,
		const struct scsi_blocks *);

#endif
