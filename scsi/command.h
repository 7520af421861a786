/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * One SCSI command carried through to a final result: sense data fetched,
 * retries bounded.
 */
#ifndef SCSI_COMMAND_H
#define SCSI_COMMAND_H

#include "scsi.h"

/* Run the request (see cdb.h). It counts as done only if as many bytes moved
 * as it says. bus->sense holds the sense data of the last CHECK CONDITION.
 */
enum scsi_result scsi_command(struct scsi_bus *bus,
			      struct hba_request *request);

#endif
