/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * SCSI words that more than one file uses: status bytes, sense bytes, and
 * how a command ended as far as the layers above care.
 */
#ifndef SCSI_SCSI_H
#define SCSI_SCSI_H

#include "hba.h"

/* Status byte [SCSI-2 "Status"]; reserved bits masked off. */
#define SCSI_STATUS_MASK 0x3e
#define SCSI_STATUS_GOOD 0x00
#define SCSI_STATUS_CHECK_CONDITION 0x02
#define SCSI_STATUS_BUSY 0x08
#define SCSI_STATUS_RESERVATION_CONFLICT 0x18
#define SCSI_STATUS_QUEUE_FULL 0x28

#define SENSE_BYTES 18
#define SENSE_CURRENT_VALID 0xf0 /* byte 0: the information field counts */
#define SENSE_INFORMATION_AT 3
#define INQUIRY_BYTES 36

/* How a command ended. int13/status.c gives each its INT 13h code. */
enum scsi_result {
	SCSI_OK = 0,
	SCSI_NO_TARGET,
	SCSI_TIMEOUT,
	SCSI_BUS_ERROR,	    /* parity, protocol, bus reset or chip failure */
	SCSI_SHORT_DATA,    /* GOOD, but less data than asked for */
	SCSI_OVERRUN,	    /* the target moved more data than asked for */
	SCSI_BUSY,	    /* BUSY or QUEUE FULL to the end */
	SCSI_RESERVED,	    /* another initiator holds the device */
	SCSI_SENSE_FAILED,  /* CHECK CONDITION, and no sense to be had */
	SCSI_NOT_READY,
	SCSI_NO_MEDIUM,
	SCSI_MEDIUM_ERROR,
	SCSI_HARDWARE_ERROR,
	SCSI_ILLEGAL_REQUEST,
	SCSI_LBA_OUT_OF_RANGE,
	SCSI_MEDIUM_CHANGED,
	SCSI_ATTENTION,	    /* UNIT ATTENTION that does not end */
	SCSI_WRITE_PROTECTED,
	SCSI_BLANK,
	SCSI_ABORTED,
	SCSI_WRONG_TRACK,   /* an audio track: no data in it */
	SCSI_BAD_MEDIUM,    /* of a kind that the drive cannot read */
	SCSI_BAD_BLOCKS, /* of a size, or in a number, that is not served */
};

/* One bus: its chip driver and the sense data of the last failed command. */
struct scsi_bus {
	struct hba *hba;
	bool unreachable;    /* no command may be started now */
	bool suspect;	     /* the last command did not end with a status */
	bool stop_at_change; /* a new medium ends a command: it was meant for
			      * the old one */
	bool medium_changed; /* this command heard of a new medium */
	u8 sense[SENSE_BYTES];
	struct hba_request own; /* for commands about another one */
};

/* One logical unit. */
struct scsi_device {
	u8 target;
	u8 lun;
	/* Byte 1 of a CDB: the LUN in bits 7:5 where devices before SCSI-3 look
	 * for it if they ignore IDENTIFY; for later ones these bits mean
	 * something else.
	 */
	u8 cdb_lun;
};

#endif
