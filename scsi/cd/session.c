/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Finds the last session of a disc. [SCSI-2 "READ TOC"; MMC "READ TOC/PMA/ATIP",
 * format 0001b]
 */
#include "scsi/disk.h"

#include "pc/phys.h"
#include "scsi/command.h"

#define OP_READ_TOC 0x43
#define TOC_FORMAT 2 /* byte of the CDB */
#define TOC_ROOM 8
#define TOC_CONTROL 9
#define FORMAT_SESSIONS 1
/* The same for drives of SCSI-2, which ignore byte 2. Seen: Linux sends this. */
#define CONTROL_SESSIONS 0x40

#define TOC_BYTES 12
#define TOC_FOLLOWING 1	  /* in the answer: bytes after this field */
#define TOC_FIRST_LBA 8	  /* dword: of the first track of the last session */

enum scsi_result disk_last_session(struct scsi_bus *bus,
				   const struct scsi_device *device,
				   u32 *first)
{
	struct hba_request request;
	u8 toc[TOC_BYTES];

	cdb_simple(&request, device, OP_READ_TOC);
	request.cdb[TOC_FORMAT] = FORMAT_SESSIONS;
	request.cdb[TOC_ROOM] = TOC_BYTES;
	request.cdb[TOC_CONTROL] = CONTROL_SESSIONS;
	request.timeout_ms = MEDIA_TIMEOUT_MS;
	request.direction = HBA_DATA_IN;
	request.data_bytes = TOC_BYTES;
	request.data = (struct phys_range){phys_of(toc), TOC_BYTES};
	enum scsi_result result = scsi_command(bus, &request);
	/* Another length is that of a list of tracks. */
	*first = result == SCSI_OK && request.moved == TOC_BYTES &&
				 toc[TOC_FOLLOWING] == TOC_BYTES - 2
			 ? be32(&toc[TOC_FIRST_LBA])
			 : 0;
	return result;
}
