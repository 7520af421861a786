/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Long operations on a disk that the set-up screen offers, in steps so that it can show
 * progress and take keys in between.
 */
#ifndef SCSI_SERVICE_H
#define SCSI_SERVICE_H

#include "disk.h"

/* Start FORMAT UNIT [SCSI-2 "FORMAT UNIT command"] with IMMED, so that it returns at once,
 * and *progress is 0. If the device rejects that, without it: then the call takes until the
 * device has formatted itself, perhaps a day, and *progress becomes SERVICE_DONE. Interrupts
 * are served meanwhile. The block size stays, and so do the lists of defects. The command is
 * sent once, has no time limit, and is never aborted. bus->sense has the reason of a failure.
 */
#define SERVICE_DONE 0xffff
enum scsi_result service_format(struct scsi_bus *bus,
				const struct scsi_device *device,
				u16 *progress);

/* Ask how far the format is, by REQUEST SENSE [SPC-3 "Sense key specific"]: *progress in
 * units of 1/65536, SERVICE_DONE at the end. A device that does not report it leaves
 * *progress as it is until TEST UNIT READY succeeds. These commands have no time limit
 * either, as an abort could reset the device. Anything but SCSI_OK: the format has failed;
 * bus->sense has the reason.
 */
enum scsi_result service_format_progress(struct scsi_bus *bus,
					 const struct scsi_device *device,
					 u16 *progress);

#endif
