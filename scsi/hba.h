/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * THE CONTRACT between scsi/ and a chip driver: the driver does one command
 * to its end within a bounded time, and leaves chip and bus ready for the
 * next one.
 */
#ifndef SCSI_HBA_H
#define SCSI_HBA_H

#include "pc/clock.h"
#include "pc/phys.h"

#define SCSI_CDB_MAX 16
#define HBA_TARGETS 16
#define HBA_MOST_TIMEOUT_S 1200u
#define HBA_NO_TIME_LIMIT CLOCK_NEVER_MS /* for a command that may take hours */
#define HBA_MEDIA_TIMEOUT_S 10u /* the usual time limit of a command on blocks */

#define HBA_ALL_TARGETS (~0u) /* in struct hba, `doubtful` */

/* Result of a command on the bus */
enum hba_result {
	HBA_OK = 0,    /* the target returned a status byte */
	HBA_NO_TARGET, /* selection time-out: no device has that ID */
	HBA_TIMEOUT,   /* target or bus hung; the command was aborted */
	HBA_BUS_RESET, /* the bus was reset during the command */
	HBA_BUS_FREE,  /* the target left the bus in mid-command */
	HBA_PROTOCOL,  /* the target broke the protocol; the bus was reset */
	HBA_PARITY,    /* parity error on the bus; the bus was reset */
	HBA_CHIP,      /* chip failure: DMA fault, no answer, bus stuck */
};

enum hba_direction {
	HBA_NO_DATA = 0,
	HBA_DATA_IN,  /* target to memory */
	HBA_DATA_OUT, /* memory to target */
};

struct hba_request {
	/* in */
	u8 target;
	u8 lun; /* 0 to 7 */
	u8 direction; /* enum hba_direction */
	u8 cdb_bytes; /* 0: no command, only make chip and bus ready for one */
	u8 cdb[SCSI_CDB_MAX];
	u32 timeout_ms; /* 1 to 1000 * HBA_MOST_TIMEOUT_S, from the start of the selection, or
			 * HBA_NO_TIME_LIMIT: then only an end on the bus ends it
			 */
	u32 data_bytes; /* 0 with HBA_NO_DATA; then `data` is not used */
	struct phys_range data; /* the first part of the data, may be empty */
	const struct phys_range *more; /* the other parts, if `data` is not all;
					* each may be empty */
	/* in, for scsi/command.c only */
	u32 least_bytes; /* the command fails if fewer bytes are transferred */
	u16 patience_ms; /* how long to wait for a device that is not ready */
	/* out, valid with HBA_OK */
	u8 status;
	bool overrun; /* the target sent more data; it was discarded */
	u32 moved; /* bytes transferred, up to data_bytes */
};

/* The interface of a chip driver. execute() does one request, which must lie
 * in DMA-able memory. It returns at the latest after timeout_ms and the time
 * for recovery (about 2 s). Whatever it returns, the next command may follow
 * at once. If another driver has used the chip, HBA_BUS_RESET without a
 * selection.
 */
struct hba {
	enum hba_result (*execute)(struct hba *hba,
				   struct hba_request *request);
	u8 own_id;
	u8 last_id; /* highest target ID on this bus: 7 or 15 */
	u32 doubtful; /* in and out, a bit for each target: before it transfers data
		       * again, it and the chip must agree on how */
	/* for scsi/disk.c only: the time limits of commands on blocks, by target; 1 to
	 * HBA_MOST_TIMEOUT_S
	 */
	u16 media_timeout_s[HBA_TARGETS];
};

#endif
