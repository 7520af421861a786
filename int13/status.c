/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The one map from SCSI results to INT 13h status codes. docs/errors.md
 * explains each line.
 */
#include "int13.h"

enum int13_status int13_status(enum scsi_result result)
{
	switch (result) {
	case SCSI_OK:
		return STATUS_OK;
	case SCSI_NO_TARGET:
	case SCSI_TIMEOUT:
		return STATUS_TIMEOUT;
	case SCSI_OVERRUN:
		return STATUS_DMA_OVERRUN;
	case SCSI_BUSY:
	case SCSI_NOT_READY:
		return STATUS_NOT_READY;
	case SCSI_RESERVED:
		return STATUS_IN_USE;
	case SCSI_SENSE_FAILED:
		return STATUS_SENSE_FAILED;
	case SCSI_NO_MEDIUM:
		return STATUS_NO_MEDIUM;
	case SCSI_MEDIUM_ERROR:
		return STATUS_READ_ERROR;
	case SCSI_ILLEGAL_REQUEST:
		return STATUS_BAD_COMMAND;
	case SCSI_LBA_OUT_OF_RANGE:
	case SCSI_BLANK:
		return STATUS_NOT_FOUND;
	case SCSI_MEDIUM_CHANGED:
		return STATUS_CHANGED;
	case SCSI_WRITE_PROTECTED:
		return STATUS_WRITE_PROTECTED;
	case SCSI_BUS_ERROR:
	case SCSI_SHORT_DATA:
	case SCSI_HARDWARE_ERROR:
	case SCSI_ATTENTION:
	case SCSI_ABORTED:
		break;
	}
	return STATUS_CONTROLLER;
}
