/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Maps sense key, ASC and ASCQ to a verdict by one table; the first row that
 * matches decides. [SCSI-2 "Sense key descriptions", "ASC and ASCQ
 * assignments"]
 */
#include "sense.h"

#define ANY 0xff /* no code assigned by the standard is FFh */

struct sense_row {
	u8 key, asc, ascq;
	u8 result; /* enum scsi_result */
	u8 action; /* enum scsi_action */
};

ROM_CONST struct sense_row sense_table[] = {
	/* RECOVERED ERROR: the data is good. NO SENSE after CHECK CONDITION:
	 * the target did not do the command and gives no reason.
	 */
	{0x1, ANY, ANY, SCSI_OK, ACTION_DONE},
	{0x0, ANY, ANY, SCSI_ABORTED, ACTION_RETRY},
	/* NOT READY. Old disks that are not spinning report it without a
	 * code, or with 04/00.
	 */
	{0x2, 0x3a, ANY, SCSI_NO_MEDIUM, ACTION_DONE},
	{0x2, 0x30, ANY, SCSI_BAD_MEDIUM, ACTION_DONE},
	{0x2, 0x04, 0x00, SCSI_NOT_READY, ACTION_START},
	{0x2, 0x04, 0x02, SCSI_NOT_READY, ACTION_START},
	{0x2, 0x04, 0x03, SCSI_NOT_READY, ACTION_DONE}, /* by hand only */
	{0x2, 0x00, 0x00, SCSI_NOT_READY, ACTION_START},
	{0x2, ANY, ANY, SCSI_NOT_READY, ACTION_WAIT},
	/* MEDIUM ERROR: the target has done its own retries. 57h: a disc
	 * without a table of contents cannot be read at all.
	 */
	{0x3, 0x30, ANY, SCSI_BAD_MEDIUM, ACTION_DONE},
	{0x3, 0x57, ANY, SCSI_BAD_MEDIUM, ACTION_DONE},
	{0x3, ANY, ANY, SCSI_MEDIUM_ERROR, ACTION_DONE},
	{0x4, ANY, ANY, SCSI_HARDWARE_ERROR, ACTION_RETRY},
	/* ILLEGAL REQUEST */
	{0x5, 0x21, ANY, SCSI_LBA_OUT_OF_RANGE, ACTION_DONE},
	{0x5, 0x30, ANY, SCSI_BAD_MEDIUM, ACTION_DONE},
	{0x5, 0x64, ANY, SCSI_WRONG_TRACK, ACTION_DONE},
	{0x5, ANY, ANY, SCSI_ILLEGAL_REQUEST, ACTION_DONE},
	/* UNIT ATTENTION */
	{0x6, 0x28, ANY, SCSI_MEDIUM_CHANGED, ACTION_ATTENTION},
	{0x6, 0x3a, ANY, SCSI_MEDIUM_CHANGED, ACTION_ATTENTION},
	{0x6, ANY, ANY, SCSI_ATTENTION, ACTION_ATTENTION},
	{0x7, ANY, ANY, SCSI_WRITE_PROTECTED, ACTION_DONE},
	{0x8, ANY, ANY, SCSI_BLANK, ACTION_DONE},
	/* ABORTED COMMAND: parity, overlapped commands, transport errors */
	{0xb, ANY, ANY, SCSI_ABORTED, ACTION_RETRY},
	/* vendor specific, copy aborted, volume overflow, miscompare */
	{ANY, ANY, ANY, SCSI_HARDWARE_ERROR, ACTION_DONE},
};


static bool fits(u8 wanted, u8 found)
{
	return wanted == ANY || wanted == found;
}

struct scsi_verdict sense_verdict(const u8 *sense, u32 length)
{
	u8 code = sense[0] & SENSE_CODE_MASK;

	if (length <= SENSE_KEY_AT ||
	    (code != SENSE_CURRENT && code != SENSE_DEFERRED))
		return (struct scsi_verdict){SCSI_SENSE_FAILED, ACTION_RETRY};
	/* A deferred error belongs to an earlier command. This command was not
	 * done, and may succeed if it is sent again.
	 */
	if (code == SENSE_DEFERRED)
		return (struct scsi_verdict){SCSI_HARDWARE_ERROR,
					     ACTION_RETRY};

	if (length > SENSE_ADDITIONAL_AT + 1u + sense[SENSE_ADDITIONAL_AT])
		length = SENSE_ADDITIONAL_AT + 1u + sense[SENSE_ADDITIONAL_AT];
	u8 key = sense[SENSE_KEY_AT] & SENSE_KEY_MASK;
	u8 asc = length > SENSE_ASC_AT ? sense[SENSE_ASC_AT] : 0;
	u8 ascq = length > SENSE_ASCQ_AT ? sense[SENSE_ASCQ_AT] : 0;
	IN_ROM struct sense_row *row = sense_table;

	while (!(fits(row->key, key) && fits(row->asc, asc) &&
		 fits(row->ascq, ascq)))
		row++; /* the last row matches everything */
	return (struct scsi_verdict){(enum scsi_result)row->result,
				     (enum scsi_action)row->action};
}
