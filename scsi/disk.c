/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Ready check and block reads.
 */
#include "disk.h"

#include "cdb.h"
#include "command.h"

#define READ_PATIENCE_MS 5000 /* for a busy or spinning-up disk */

enum scsi_result disk_ready(struct scsi_bus *bus, struct scsi_device device,
			    u32 patience_ms)
{
	struct hba_request request;

	cdb_test_unit_ready(&request, device);
	return scsi_command(bus, &request, 0, patience_ms);
}

enum scsi_result disk_read(struct scsi_bus *bus, struct scsi_device device,
			   u32 lba, u16 blocks, u32 block_bytes, u32 address)
{
	struct hba_request request;

	cdb_read10(&request, device, lba, blocks);
	request.data_address = address;
	request.data_bytes = blocks * block_bytes;
	return scsi_command(bus, &request, request.data_bytes,
			    READ_PATIENCE_MS);
}
