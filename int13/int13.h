/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * INT 13h for the drives we own: status codes, our drives, handlers.
 */
#ifndef INT13_INT13_H
#define INT13_INT13_H

#include "drives.h"
#include "frame.h"

/* AH on return [RBIL "INT 13 status"] */
enum int13_status {
	STATUS_OK = 0x00,
	STATUS_BAD_COMMAND = 0x01, /* unknown function or bad argument */
	STATUS_WRITE_PROTECTED = 0x03,
	STATUS_NOT_FOUND = 0x04, /* no such sector */
	STATUS_CHANGED = 0x06,
	STATUS_DMA_OVERRUN = 0x08,
	STATUS_DMA_BOUNDARY = 0x09, /* buffer not reachable */
	STATUS_READ_ERROR = 0x10,
	STATUS_CONTROLLER = 0x20,
	STATUS_NO_MEDIUM = 0x31,
	STATUS_TIMEOUT = 0x80,
	STATUS_NOT_READY = 0xaa,
	STATUS_IN_USE = 0xb3,
	STATUS_SENSE_FAILED = 0xff,
};

/* The one map from how a SCSI command ended to AH (status.c). */
enum int13_status int13_status(enum scsi_result result);

/* A handler does one function for a drive of ours and returns its status;
 * the dispatcher sets AH, CF and 40:74h from it.
 */
struct int13_call {
	struct int13_state *state;
	struct int13_frame *regs;
	struct disk *disk;
};
typedef enum int13_status int13_handler(const struct int13_call *call);

int13_handler int13_02_read, int13_08_parameters, int13_10_ready,
	int13_15_type;					  /* chs.c */
int13_handler int13_41_check, int13_42_read, int13_48_parameters; /* edd.c */

/* Read blocks of 512 bytes to a caller's buffer at segment:offset
 * (transfer.c). *count says how many to read and, on return, how many are
 * good. Nothing is moved if the request as a whole cannot be done.
 */
enum int13_status int13_read(const struct int13_call *call, u32 lba,
			     u32 *count, u16 segment, u16 offset);

/* Called by rom/entry.S for each INT 13h on a drive of ours (dispatch.c). */
void int13_dispatch(struct int13_frame *regs, struct int13_state *state);

#endif
