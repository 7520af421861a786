/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * INT 13h for the drives of this ROM: status codes, calls and their handlers.
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
	STATUS_NOT_FOUND = 0x04, /* no sector with that address */
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

/* One call of INT 13h */
struct int13_call {
	struct int13_state *state;
	struct int13_frame *regs;
	struct disk *disk; /* 4Ah to 4Dh: the CD; others: the addressed drive */
	enum disk_action action; /* of functions that address blocks */
	u16 status_byte; /* BDA_DISK_STATUS or BDA_FLOPPY_STATUS */
};

/* A handler does one function for a drive of ours and returns its status;
 * int13_finish() sets AH, CF and the status byte from it. Handlers may move FS.
 * The comment above each handler in the .c file gives its registers. A handler
 * of several functions has the number of one of them in its name.
 */
typedef enum int13_status int13_handler(const struct int13_call *call);

int13_handler int13_00_reset, int13_02_blocks, int13_08_parameters,
	int13_10_ready, int13_15_type; /* chs.c */
int13_handler int13_41_check, int13_42_blocks, int13_48_parameters,
	int13_4e_configure; /* edd.c */
int13_handler int13_16_changed, int13_45_lock, int13_46_eject,
	int13_49_changed; /* removable.c */

/* The INT 13h status for the result of a SCSI command (status.c). A result that
 * reports a new or a missing medium also updates call->disk.
 */
enum int13_status int13_status_of(const struct int13_call *call,
				  enum scsi_result result);

/* Prepare the medium for the call (removable.c): measure it if its size is
 * unknown, and refuse writes to a CD. STATUS_OK, STATUS_WRITE_PROTECTED, or why
 * the medium cannot be used. Moves FS.
 */
enum int13_status int13_check_medium(const struct int13_call *call);

/* The same, without a call for the usual case of a fixed disk. Moves FS. */
static inline enum int13_status int13_ensure_size(const struct int13_call *call)
{
	return call->disk->flags & (DISK_UNKNOWN | DISK_EMULATED | DISK_CD)
		       ? int13_check_medium(call)
		       : STATUS_OK;
}

/* The parts of removable.c that only drives with removable media need
 * (media/media.c). media_measure() measures a new medium. media_changed()
 * returns STATUS_CHANGED once for each change. media_eject() is AH=46h.
 */
int13_handler media_measure, media_changed, media_eject;

/* AH=45h: lock or unlock the medium. Locks nest, up to 255. Returns
 * STATUS_TOO_MANY_LOCKS or STATUS_NOT_LOCKED past either end.
 */
enum int13_status media_lock(const struct int13_call *call, bool lock);

/* Set the CF that the caller gets. */
static inline void int13_set_carry(struct int13_frame *regs, bool carry)
{
	regs->flags = (regs->flags & ~FLAGS_CF) | (carry ? FLAGS_CF : 0);
}

/* Return the status: in AH, in CF and in the BIOS's status byte for this kind of
 * drive. Functions that return another value in AH on success set it afterwards.
 * FS is on the BDA then. Moves FS.
 */
static inline void int13_finish(const struct int13_call *call,
				enum int13_status status)
{
	bda_open();
	FAR8(call->status_byte) = (u8)status;
	call->regs->ah = (u8)status;
	int13_set_carry(call->regs, status != STATUS_OK);
}

/* A function number and its handler */
struct int13_function {
	u8 number;
	u8 success_ah; /* AH on success */
	u8 action;     /* enum disk_action, if the handler has several */
	int13_handler *handler;
};

/* Look up a function that all drives have (dispatch.c). Null if there is none
 * with that number.
 */
const struct int13_function __seg_gs *int13_find_function(u8 number);

/* Call the handler of a function, and set AH, CF and the status byte. With null
 * the function does not exist: STATUS_BAD_COMMAND. Moves FS.
 */
void int13_serve_call(struct int13_call *call,
		      const struct int13_function __seg_gs *function);

/* Called by rom/entry.S on our stack for each INT 13h that addresses a disk of
 * ours (dispatch.c). The results are in *regs. Moves FS.
 */
void int13_dispatch(struct int13_frame *regs, struct int13_state *state);

#endif
