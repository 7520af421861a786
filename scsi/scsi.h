/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Definitions that more than one file uses: status bytes, sense data, and the
 * result of a command for the layers above.
 */
#ifndef SCSI_SCSI_H
#define SCSI_SCSI_H

#include "hba.h"

/* Status byte [SCSI-2 "Status"], without its reserved bits */
#define SCSI_STATUS_MASK 0x3e
#define SCSI_STATUS_GOOD 0x00
#define SCSI_STATUS_CHECK_CONDITION 0x02
#define SCSI_STATUS_BUSY 0x08
#define SCSI_STATUS_RESERVATION_CONFLICT 0x18
#define SCSI_STATUS_QUEUE_FULL 0x28
#define SCSI_STATUS_TASK_ABORTED 0x40 /* the whole byte [SAM-3 "Status"] */

#define SENSE_BYTES 18
#define SENSE_CODE_MASK 0x7f /* of byte 0 */
#define SENSE_CURRENT 0x70
#define SENSE_DEFERRED 0x71 /* of an earlier command */
#define SENSE_CURRENT_VALID 0xf0 /* byte 0: the information field is valid */
#define SENSE_KEY_AT 2
#define SENSE_KEY_MASK 0x0f
#define SENSE_INFORMATION_AT 3
#define SENSE_ADDITIONAL_AT 7 /* number of bytes after this one */
#define SENSE_ASC_AT 12
#define SENSE_ASCQ_AT 13
#define INQUIRY_BYTES 36

/* Result of a command. int13/status.c maps each to an INT 13h status. */
enum scsi_result {
	SCSI_OK = 0,
	SCSI_NO_TARGET,
	SCSI_TIMEOUT,
	SCSI_BUS_ERROR,	    /* parity, protocol, bus reset or chip failure */
	SCSI_SHORT_DATA,    /* GOOD, but less data than requested */
	SCSI_OVERRUN,	    /* the target sent more data than requested */
	SCSI_BUSY,	    /* BUSY or QUEUE FULL at every try */
	SCSI_RESERVED,	    /* another initiator has reserved the device */
	SCSI_SENSE_FAILED,  /* CHECK CONDITION, but no valid sense data */
	SCSI_NOT_READY,
	SCSI_NO_MEDIUM,
	SCSI_MEDIUM_ERROR,
	SCSI_HARDWARE_ERROR,
	SCSI_ILLEGAL_REQUEST,
	SCSI_LBA_OUT_OF_RANGE,
	SCSI_MEDIUM_CHANGED,
	SCSI_ATTENTION,	    /* UNIT ATTENTION at every try */
	SCSI_WRITE_PROTECTED,
	SCSI_BLANK,
	SCSI_ABORTED,
	SCSI_WRONG_TRACK,   /* an audio track, without data */
	SCSI_BAD_MEDIUM,    /* a kind of medium that the drive cannot read */
	SCSI_BAD_BLOCKS,    /* the block size is not supported */
};

/* One bus: its chip driver and the sense data of the last failed command. */
struct scsi_bus {
	struct hba *hba;
	/* of this call, see scsi_begin_call() */
	bool unreachable; /* in: no command may be started now */
	bool started;	  /* START UNIT is not sent (again) */
	u16 waited; /* time for repeated tries, as clock_mark(); during these, the
		     * mark at which they would have begun */
	bool suspect;	     /* the last command did not end with a status */
	bool stop_at_change; /* in: do not send a command again after a medium
			      * change, as it was meant for the old medium */
	bool medium_changed; /* out: this command found that the medium may have
			      * changed */
	u8 sense[SENSE_BYTES];
	struct hba_request own; /* for commands that scsi/command.c inserts */
};

/* Begin a call: its commands share the time for repeated tries, and send START UNIT
 * once.
 */
static inline void scsi_begin_call(struct scsi_bus *bus)
{
	bus->unreachable = false;
	bus->started = false;
	bus->waited = 0;
}

#define NO_MORE_TRIES 0x7fff /* `waited`, if its time is up: 15 minutes */

/* One logical unit. */
struct scsi_device {
	u8 target;
	u8 lun;
	/* Byte 1 of a CDB. Bits 7:5 are the LUN for devices before SCSI-3,
	 * which may ignore IDENTIFY; later devices define these bits
	 * differently.
	 */
	u8 cdb_lun;
};

#endif
