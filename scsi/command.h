/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Does one SCSI command: fetches sense data and retries within limits.
 */
#ifndef SCSI_COMMAND_H
#define SCSI_COMMAND_H

#include "scsi.h"

/* Do the request, which cdb.h has filled in. SCSI_OK only if at least
 * request->least_bytes were transferred. bus->sense has the sense data of the
 * last CHECK CONDITION; bus->medium_changed is set.
 */
enum scsi_result scsi_command(struct scsi_bus *bus,
			      struct hba_request *request);

/* Let all targets agree again with the chip on how to transfer data, each with its
 * next command. If another driver has used the chip, reset chip and bus, and set
 * bus->suspect. Sends no command.
 */
void scsi_reset(struct scsi_bus *bus);

#endif
