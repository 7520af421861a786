/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Builds command blocks and sets their time limits.
 */
#include "cdb.h"

#define OP_REQUEST_SENSE 0x03
#define OP_INQUIRY 0x12
#define OP_READ_CAPACITY10 0x25
#define OP_READ_CAPACITY16 0x9e
#define OP_REPORT_LUNS 0xa0

#define SERVICE_READ_CAPACITY16 0x10

/* From a 10-byte block command to its 16-byte form */
#define LONG_FORM 0x60

/* Length of a CDB by bits 7:5 of the operation code [SCSI-2 "Operation code"] */
ROM_CONST u8 cdb_lengths[] = {6, 10, 10, 6, 16, 12, 6, 6};

static void cdb_begin(struct hba_request *request,
		      const struct scsi_device *device, u8 opcode)
{
	request->target = device->target;
	request->lun = device->lun;
	request->direction = HBA_NO_DATA;
	request->cdb_bytes = cdb_lengths[opcode >> 5];
	request->timeout_ms = SHORT_TIMEOUT_MS;
	request->data_bytes = 0;
	request->least_bytes = 0;
	request->patience_ms = PATIENCE_MS;
	__builtin_memset(request->cdb, 0, SCSI_CDB_MAX);
	request->cdb[0] = opcode;
	request->cdb[1] = device->cdb_lun;
}

static void cdb_data_in(struct hba_request *request, u32 bytes)
{
	request->direction = HBA_DATA_IN;
	request->data_bytes = bytes;
	request->data.bytes = bytes;
	request->least_bytes = bytes;
}

void cdb_simple(struct hba_request *request, const struct scsi_device *device,
		u32 command)
{
	cdb_begin(request, device, (u8)command);
	request->cdb[4] = (u8)(command >> 8);
	request->patience_ms = (u16)(command >> 16);
	if ((u8)command == (u8)CDB_START_UNIT)
		request->timeout_ms = SPIN_UP_TIMEOUT_MS;
}

void cdb_request_sense(struct hba_request *request,
		       const struct scsi_device *device)
{
	cdb_begin(request, device, OP_REQUEST_SENSE);
	request->cdb[4] = SENSE_BYTES;
	cdb_data_in(request, SENSE_BYTES);
}

void cdb_inquiry(struct hba_request *request,
		 const struct scsi_device *device)
{
	cdb_begin(request, device, OP_INQUIRY);
	request->cdb[4] = INQUIRY_BYTES;
	cdb_data_in(request, INQUIRY_BYTES);
	request->least_bytes = INQUIRY_LEAST_BYTES;
}

IN_POST void cdb_report_luns(struct hba_request *request,
			     const struct scsi_device *device, u32 bytes)
{
	cdb_begin(request, device, OP_REPORT_LUNS);
	put_be32(&request->cdb[6], bytes);
	cdb_data_in(request, bytes);
	request->least_bytes = LUN_LIST_HEADER;
}

IN_EXTRA void cdb_read_capacity(struct hba_request *request,
				const struct scsi_device *device, u32 bytes)
{
	bool wide = bytes != CAPACITY10_BYTES;

	cdb_begin(request, device,
		  wide ? OP_READ_CAPACITY16 : OP_READ_CAPACITY10);
	request->timeout_ms = MEDIA_TIMEOUT_MS;
	cdb_data_in(request, bytes);
	if (wide) {
		request->cdb[1] = SERVICE_READ_CAPACITY16;
		request->cdb[13] = (u8)bytes;
		request->least_bytes = CAPACITY16_LEAST_BYTES;
	}
}

static NOT_INLINE void cdb_blocks16(struct hba_request *request,
				    const struct scsi_blocks *blocks)
{
	u8 *cdb = request->cdb;

	request->cdb_bytes = 16;
	cdb[0] = (u8)(blocks->opcode + LONG_FORM);
	put_be32(&cdb[2], (u32)(blocks->lba >> 32));
	put_be32(&cdb[6], (u32)blocks->lba);
	put_be32(&cdb[10], blocks->count);
	cdb[14] = 0;
	cdb[15] = 0;
}

void cdb_blocks(struct hba_request *request, const struct scsi_device *device,
		const struct scsi_blocks *blocks)
{
	u32 lba = (u32)blocks->lba, count = blocks->count;
	u8 *cdb = request->cdb;

	request->target = device->target;
	request->lun = device->lun;
	request->patience_ms = PATIENCE_MS;
	cdb[1] = device->cdb_lun;
	if (blocks->lba >> 32 || lba + count - 1 < lba) {
		cdb_blocks16(request, blocks);
		return;
	}
	request->cdb_bytes = 10;
	cdb[0] = blocks->opcode;
	put_be32(&cdb[2], lba);
	put_be32(&cdb[6], count << 8);
}
