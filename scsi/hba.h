/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * THE CONTRACT between scsi/ and a chip driver: run one command, to its end,
 * within a bounded time, leaving chip and bus fit for the next one.
 */
#ifndef SCSI_HBA_H
#define SCSI_HBA_H

#include "pc/phys.h"

#define SCSI_CDB_MAX 16

/* How a command ended on the bus. Zero: the target returned a status byte. */
enum hba_result {
	HBA_OK = 0,
	HBA_NO_TARGET, /* selection time-out: no device has that ID */
	HBA_TIMEOUT,   /* target or bus hung; the command was aborted */
	HBA_BUS_RESET, /* the bus was reset meanwhile */
	HBA_BUS_FREE,  /* target left the bus in mid-command */
	HBA_PROTOCOL,  /* target broke the protocol; bus was reset */
	HBA_PARITY,    /* parity error on the bus; bus was reset */
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
	u8 cdb_bytes;
	u8 cdb[SCSI_CDB_MAX];
	u32 timeout_ms; /* 1 to 1 200 000, from the start of the selection */
	u32 data_bytes; /* 0 with HBA_NO_DATA; then `data` means nothing */
	struct phys_range data; /* where the first of them are, ... */
	const struct phys_range *more; /* ... then these, if not all; each
					* range may be empty */
	/* in, for scsi/command.c alone */
	u32 least_bytes; /* that must move for the command to count as done */
	u32 patience_ms; /* with a device that is busy or becoming ready */
	/* out, valid with HBA_OK */
	u32 moved; /* of data_bytes */
	u8 status;
	bool overrun; /* the target sent more data; it was discarded */
};

/* What a chip driver offers. The request must lie in DMA-able memory.
 * execute() returns after timeout_ms and what recovery takes (about 2 s) at the
 * latest. Whatever it returns, the next command may follow at once.
 */
struct hba {
	enum hba_result (*execute)(struct hba *hba,
				   struct hba_request *request);
	u8 own_id;
	u8 last_id; /* highest target ID on this bus: 7 or 15 */
};

#endif
