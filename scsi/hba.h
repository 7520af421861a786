/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * THE CONTRACT between scsi/ and a chip driver: run one command, to its end,
 * within a bounded time, leaving chip and bus fit for the next one.
 */
#ifndef SCSI_HBA_H
#define SCSI_HBA_H

#include "pc/types.h"

#define SCSI_CDB_MAX 16

/* How a command ended on the bus. Zero: the target returned a status byte. */
enum hba_result {
	HBA_OK = 0,
	HBA_NO_TARGET, /* selection time-out: nobody has that ID */
	HBA_TIMEOUT,   /* target or bus hung; chip and bus were reset */
	HBA_BUS_RESET, /* somebody reset the bus meanwhile */
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
	u32 data_address; /* bus address */
	u32 data_bytes;	  /* up to FFFFh; 0 with HBA_NO_DATA */
	u32 timeout_ms;
	/* out, valid with HBA_OK */
	u8 status;
	bool overrun;  /* the target sent more data; it was discarded */
	u32 residual;  /* bytes of data_bytes that did not move */
};

/* What a chip driver offers. The request must lie in DMA-able memory. */
struct hba {
	enum hba_result (*execute)(struct hba *hba,
				   struct hba_request *request);
	u8 own_id;
	u8 last_id; /* highest target ID on this bus: 7 or 15 */
};

#endif
