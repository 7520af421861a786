/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * INQUIRY and READ CAPACITY.
 */
#include "scan.h"

#include "cdb.h"
#include "command.h"
#include "pc/phys.h"

#define SCAN_PATIENCE_MS 5000

#define INQUIRY_LEAST_BYTES 5 /* type to additional length */
#define QUALIFIER_MASK 0xe0

_Static_assert(sizeof(struct scsi_inquiry) == INQUIRY_BYTES,
	       "struct scsi_inquiry is what the device sends");

enum scsi_result scan_inquiry(struct scsi_bus *bus, struct scsi_device device,
			      struct scsi_inquiry *answer)
{
	struct hba_request request;

	*answer = (struct scsi_inquiry){0};
	cdb_inquiry(&request, device);
	request.data_address = phys_of(answer);
	enum scsi_result result = scsi_command(
		bus, &request, INQUIRY_LEAST_BYTES, SCAN_PATIENCE_MS);
	if (result == SCSI_OK && answer->type & QUALIFIER_MASK)
		return SCSI_NO_TARGET;
	return result;
}

enum scsi_result scan_capacity(struct scsi_bus *bus,
			       struct scsi_device device, u8 *raw,
			       struct scsi_capacity *capacity)
{
	struct hba_request request;

	cdb_read_capacity10(&request, device);
	request.data_address = phys_of(raw);
	enum scsi_result result = scsi_command(
		bus, &request, request.data_bytes, SCAN_PATIENCE_MS);
	if (result != SCSI_OK)
		return result;
	/* The answer names the last block: FFFFFFFFh stands for "more than
	 * this command can say".
	 */
	u32 last = be32(raw);
	capacity->blocks = last == 0xffffffff ? last : last + 1;
	capacity->block_bytes = be32(raw + 4);
	return SCSI_OK;
}
