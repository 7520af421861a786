/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Sets the block size of a drive. [SCSI-2 "MODE SELECT(6)", "Mode parameters"]
 */
#include "scsi/disk.h"

#include "pc/phys.h"
#include "scsi/command.h"
#include "scsi/scan.h"

/* MODE SELECT(6), with the length of the list in byte 4 of the CDB */
#define MODE_LIST_BYTES 12
#define CDB_MODE_SELECT (MODE_LIST_BYTES << 8 | 0x15)
#define PAGE_FORMAT 0x10 /* in byte 1: the list is one of SCSI-2 */

/* The list: a header of 4 bytes, then a block descriptor */
#define DESCRIPTOR_LENGTH 3 /* byte: 8 */
#define BLOCK_LENGTH 8	    /* dword; its first byte is reserved */

/* Not sent to optical memory, whose blocks have another size only once it is formatted
 * anew.
 */
static bool is_cd_rom(struct scsi_bus *bus, const struct scsi_device *device)
{
	struct hba_request request;
	u8 answer[INQUIRY_BYTES];

	answer[0] = 0;
	cdb_inquiry(&request, device);
	request.data.address = phys_of(answer);
	return scsi_command(bus, &request) == SCSI_OK &&
	       answer[0] == INQUIRY_TYPE_CD;
}

enum scsi_result disk_set_block_bytes(struct scsi_bus *bus,
				      const struct scsi_device *device,
				      u32 bytes)
{
	struct hba_request request;
	u8 list[MODE_LIST_BYTES] = {[DESCRIPTOR_LENGTH] = 8};

	if (!is_cd_rom(bus, device))
		return SCSI_ILLEGAL_REQUEST;
	put_be32(&list[BLOCK_LENGTH], bytes);
	cdb_simple(&request, device, CDB_MODE_SELECT);
	request.cdb[1] |= PAGE_FORMAT;
	request.direction = HBA_DATA_OUT;
	request.data_bytes = MODE_LIST_BYTES;
	request.least_bytes = MODE_LIST_BYTES;
	request.data = (struct phys_range){phys_of(list), MODE_LIST_BYTES};
	return scsi_command(bus, &request);
}
