/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Sends INQUIRY and REPORT LUNS, and starts units.
 */
#include "scsi/scan.h"

#include "pc/phys.h"
#include "scsi/cdb.h"
#include "scsi/command.h"
#include "scsi/disk.h"
#include "scsi/sense.h"

#define QUALIFIER_MASK 0xe0

_Static_assert(sizeof(struct scsi_inquiry) == INQUIRY_BYTES,
	       "struct scsi_inquiry is what the device sends");

#define ILLEGAL_REQUEST 5

/* Has the device rejected the INQUIRY of a LUN? It should return data in any case
 * [SCSI-2 "Incorrect logical unit selection"], but some return CHECK CONDITION, even
 * without sense data.
 */
static bool rejected(const struct scsi_bus *bus,
		     const struct hba_request *request)
{
	u8 key = bus->sense[SENSE_KEY_AT] & SENSE_KEY_MASK;

	return !bus->suspect &&
	       (request->status & SCSI_STATUS_MASK) ==
		       SCSI_STATUS_CHECK_CONDITION &&
	       (!key || key == ILLEGAL_REQUEST);
}

static enum scsi_result send_inquiry(struct scsi_bus *bus,
				     struct hba_request *request)
{
	if (!request->lun)
		return scsi_command(bus, request);
	bus->waited = NO_MORE_TRIES;
	enum scsi_result result = scsi_command(bus, request);
	bus->waited = 0;
	/* Not tried again in any case */
	if (result == SCSI_OK || result == SCSI_NO_TARGET ||
	    result == SCSI_TIMEOUT)
		return result;
	return rejected(bus, request) ? SCSI_NO_TARGET
				      : scsi_command(bus, request);
}

enum scsi_result scan_inquiry(struct scsi_bus *bus,
			      const struct scsi_device *device,
			      struct scsi_inquiry *answer)
{
	struct hba_request request;

	*answer = (struct scsi_inquiry){0};
	cdb_inquiry(&request, device);
	request.data.address = phys_of(answer);
	enum scsi_result result = send_inquiry(bus, &request);
	if (result == SCSI_OK && answer->type & QUALIFIER_MASK)
		return SCSI_NO_TARGET;
	return result;
}

bool scan_is_ready(struct scsi_bus *bus, const struct scsi_device *device,
		   bool *stopped)
{
	bus->started = true; /* not by the command, which would wait */
	enum scsi_result result =
		disk_simple(bus, device, CDB_TEST_UNIT_READY);
	*stopped = result == SCSI_NOT_READY &&
		   sense_verdict(bus->sense, SENSE_BYTES).action == ACTION_START;
	return result == SCSI_OK;
}

#define IMMEDIATE 1 /* byte 1 of START STOP UNIT: status before the unit is ready */
#define START_TIMEOUT_MS 20000 /* for units that ignore it */

void scan_start(struct scsi_bus *bus, const struct scsi_device *device)
{
	struct hba_request request;

	cdb_simple(&request, device, CDB_START_UNIT);
	request.cdb[1] |= IMMEDIATE;
	request.timeout_ms = START_TIMEOUT_MS;
	(void)scsi_command(bus, &request);
}

#define LUN_ENTRY_BYTES 8
#define MOST_LUNS 8
/* Room for 16 entries: more than can be used, because they may not be in
 * order
 */
#define LUN_LIST_BYTES (LUN_LIST_HEADER + 16 * LUN_ENTRY_BYTES)

/* Bit n for an entry with LUN n in the simple form: bus 0, LUN in byte 1,
 * zeros after it [SAM "Single level LUN"]. 0 for other forms and for LUNs
 * above 7.
 */
static u8 lun_bit(const u8 *entry)
{
	for (u32 i = 0; i < LUN_ENTRY_BYTES; i++)
		if (i != 1 && entry[i])
			return 0;
	return entry[1] < MOST_LUNS ? (u8)(1u << entry[1]) : 0;
}

enum scsi_result scan_luns(struct scsi_bus *bus,
			   const struct scsi_device *device, u8 *luns)
{
	struct hba_request request;
	u8 list[LUN_LIST_BYTES];

	cdb_report_luns(&request, device, LUN_LIST_BYTES);
	request.data.address = phys_of(list);
	enum scsi_result result = scsi_command(bus, &request);
	*luns = 1;
	if (result != SCSI_OK)
		return result;
	u32 end = request.moved;
	if (end - LUN_LIST_HEADER > be32(list))
		end = LUN_LIST_HEADER + be32(list);
	for (u32 at = LUN_LIST_HEADER; at + LUN_ENTRY_BYTES <= end;
	     at += LUN_ENTRY_BYTES)
		*luns |= lun_bit(list + at);
	return SCSI_OK;
}
