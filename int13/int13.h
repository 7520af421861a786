/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * INT 13h for the drives we own: status codes, our drives, handlers.
 */
#ifndef INT13_INT13_H
#define INT13_INT13_H

#include "drives.h"
#include "frame.h"
#include "pc/bda.h"

/* AH on return [RBIL "INT 13 status"] */
enum int13_status {
	STATUS_OK = 0x00,
	STATUS_BAD_COMMAND = 0x01, /* unknown function or bad argument */
	STATUS_WRITE_PROTECTED = 0x03,
	STATUS_NOT_FOUND = 0x04, /* no such sector */
	STATUS_RESET_FAILED = 0x05,
	STATUS_CHANGED = 0x06,
	STATUS_DMA_OVERRUN = 0x08,
	STATUS_DMA_BOUNDARY = 0x09, /* buffer not reachable */
	STATUS_BAD_MEDIA = 0x0c,
	STATUS_READ_ERROR = 0x10,
	STATUS_CONTROLLER = 0x20,
	STATUS_NO_MEDIUM = 0x31,
	STATUS_TIMEOUT = 0x80,
	STATUS_NOT_READY = 0xaa,
	STATUS_NOT_LOCKED = 0xb0,
	STATUS_LOCKED = 0xb1,
	STATUS_NOT_REMOVABLE = 0xb2,
	STATUS_IN_USE = 0xb3,
	STATUS_TOO_MANY_LOCKS = 0xb4,
	STATUS_EJECT_FAILED = 0xb5,
	STATUS_WRITE_FAULT = 0xcc,
	STATUS_SENSE_FAILED = 0xff,
};

/* A handler does one function for a drive of ours and returns its status;
 * the dispatcher sets AH, CF and 40:74h from it.
 */
struct int13_call {
	struct int13_state *state;
	struct int13_frame *regs;
	struct disk *disk; /* 4Ah to 4Dh: the CD; others: as the caller sees it */
	enum disk_action action; /* of the functions that have one */
	u16 status_byte; /* of the BIOS, for this kind of drive */
};
typedef enum int13_status int13_handler(const struct int13_call *call);

int13_handler int13_00_reset, int13_chs_blocks, int13_08_parameters,
	int13_10_ready, int13_15_type; /* chs.c */
int13_handler int13_41_check, int13_edd_blocks, int13_48_parameters,
	int13_4e_configure; /* edd.c */
int13_handler int13_16_changed, int13_45_lock, int13_46_eject,
	int13_49_changed; /* removable.c */

/* The map from how a SCSI command ended to AH (status.c). What that says
 * of the medium is remembered in the call's disk.
 */
enum int13_status int13_status(const struct int13_call *call,
			       enum scsi_result result);

/* Make sure that the size of the medium is known, and that it can be written
 * if the call is to do that (removable.c).
 */
enum int13_status int13_check_medium(const struct int13_call *call);

static inline enum int13_status int13_know_size(const struct int13_call *call)
{
	return call->disk->flags & (DISK_UNKNOWN | DISK_IMAGE | DISK_CD)
		       ? int13_check_medium(call)
		       : STATUS_OK;
}

/* What the functions of removable.c come to where a medium can be removed
 * (media.c): measure a new one, tell of a change once, lock or unlock, eject.
 */
int13_handler media_measure, media_changed, media_eject;
enum int13_status media_lock(const struct int13_call *call, bool lock);

static inline void set_carry(struct int13_frame *regs, bool carry)
{
	regs->flags = (regs->flags & ~FLAGS_CF) | (carry ? FLAGS_CF : 0);
}

/* The only place where AH, CF and the BIOS's status byte (of that kind of drive)
 * are set, except for functions that return something else in AH on success.
 * Moves FS to the BDA.
 */
static inline void int13_finish(const struct int13_call *call,
				enum int13_status status)
{
	bda_open();
	FAR8(call->status_byte) = (u8)status;
	call->regs->ah = (u8)status;
	set_carry(call->regs, status != STATUS_OK);
}

/* A function number and its handler */
struct int13_function {
	u8 number;
	u8 success_ah; /* what AH says when it went well */
	u8 action;     /* enum disk_action, if the handler has several */
	int13_handler *handler;
};

/* The row of dispatch.c for a function that all drives have; null if there is
 * none.
 */
const struct int13_function __seg_gs *int13_function_of(u8 number);

/* Do a function (null: one that does not exist) for a call, and set AH, CF and
 * the status byte. Moves FS.
 */
void int13_do(struct int13_call *call,
	      const struct int13_function __seg_gs *function);

/* Called by rom/entry.S for each INT 13h on a disk of ours (dispatch.c). Moves
 * FS.
 */
void int13_dispatch(struct int13_frame *regs, struct int13_state *state);

#endif
