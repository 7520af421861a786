/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Command blocks with their time limits.
 */
#include "cdb.h"

#define OP_TEST_UNIT_READY 0x00
#define OP_REQUEST_SENSE 0x03
#define OP_INQUIRY 0x12
#define OP_START_STOP_UNIT 0x1b
#define OP_READ_CAPACITY10 0x25
#define OP_READ10 0x28

#define START_STOP_START 0x01

#define SHORT_TIMEOUT_MS 5000  /* answered from the target's memory */
#define MEDIA_TIMEOUT_MS 10000 /* the medium is moved or read */
#define SPIN_UP_TIMEOUT_MS 60000

#define CDB10_BYTES 10
#define CDB6_BYTES 6

static void cdb_begin(struct hba_request *request, struct scsi_device device,
		      u8 opcode, u32 timeout_ms)
{
	*request = (struct hba_request){
		.target = device.target,
		.lun = device.lun,
		.cdb_bytes = opcode < 0x20 ? CDB6_BYTES : CDB10_BYTES,
		.timeout_ms = timeout_ms,
	};
	request->cdb[0] = opcode;
	/* Where devices before SCSI-3 look for the LUN if they ignore
	 * IDENTIFY.
	 */
	request->cdb[1] = (u8)(device.lun << 5);
}

static void cdb_data_in(struct hba_request *request, u32 bytes)
{
	request->direction = HBA_DATA_IN;
	request->data_bytes = bytes;
}

void cdb_test_unit_ready(struct hba_request *request,
			 struct scsi_device device)
{
	cdb_begin(request, device, OP_TEST_UNIT_READY, SHORT_TIMEOUT_MS);
}

void cdb_request_sense(struct hba_request *request, struct scsi_device device)
{
	cdb_begin(request, device, OP_REQUEST_SENSE, SHORT_TIMEOUT_MS);
	request->cdb[4] = SENSE_BYTES;
	cdb_data_in(request, SENSE_BYTES);
}

void cdb_inquiry(struct hba_request *request, struct scsi_device device)
{
	cdb_begin(request, device, OP_INQUIRY, SHORT_TIMEOUT_MS);
	request->cdb[4] = INQUIRY_BYTES;
	cdb_data_in(request, INQUIRY_BYTES);
}

void cdb_start_unit(struct hba_request *request, struct scsi_device device)
{
	cdb_begin(request, device, OP_START_STOP_UNIT, SPIN_UP_TIMEOUT_MS);
	request->cdb[4] = START_STOP_START;
}

void cdb_read_capacity10(struct hba_request *request,
			 struct scsi_device device)
{
	cdb_begin(request, device, OP_READ_CAPACITY10, MEDIA_TIMEOUT_MS);
	cdb_data_in(request, 8);
}

void cdb_read10(struct hba_request *request, struct scsi_device device,
		u32 lba, u16 blocks)
{
	cdb_begin(request, device, OP_READ10, MEDIA_TIMEOUT_MS);
	for (u32 i = 0; i < 4; i++)
		request->cdb[2 + i] = (u8)(lba >> (24 - 8 * i));
	request->cdb[7] = (u8)(blocks >> 8);
	request->cdb[8] = (u8)blocks;
	request->direction = HBA_DATA_IN;
}
