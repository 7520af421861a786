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
enum int13_status int13_know_size(const struct int13_call *call);

/* What the functions of removable.c come to where a medium can be removed
 * (media.c): measure a new one, tell of a change once, lock or unlock, eject.
 */
int13_handler media_measure, media_changed, media_eject;
enum int13_status media_lock(const struct int13_call *call, bool lock);

/* Sectors of a drive and the caller's buffer for them. */
struct int13_range {
	u64 lba;
	u32 buffer; /* linear address */
	u32 room;   /* bytes there that the caller can mean */
	u32 count;  /* of sectors */
	u8 action;  /* enum disk_action */
};

/* Do what the range says on a medium whose size is known
 * (transfer.c). On return range->count is
 * how many sectors are good. Nothing is done if the request as a whole cannot
 * be done.
 */
enum int13_status int13_transfer(const struct int13_call *call,
				 struct int13_range *range);

/* What a seg:off pair can name: up to FFFF:FFFFh. */
#define REAL_MODE_END 0x10fff0u

/* The status for how a command on blocks ended (transfer.c). */
enum int13_status int13_result(const struct int13_call *call, u8 action,
			       enum scsi_result result);

static inline void set_carry(struct int13_frame *regs, bool carry)
{
	regs->flags = (regs->flags & ~FLAGS_CF) | (carry ? FLAGS_CF : 0);
}

/* The only place where AH, CF and the BIOS's status byte (of that kind of drive)
 * are set, but for functions whose success is told by another AH.
 */
static inline void int13_finish(struct int13_frame *regs, u16 status_byte,
		  enum int13_status status)
{
	bda_open();
	FAR8(status_byte) = (u8)status;
	regs->ah = (u8)status;
	set_carry(regs, status != STATUS_OK);
}

/* Called by rom/entry.S for each INT 13h on a drive of ours (dispatch.c).
 */
void int13_dispatch(struct int13_frame *regs, struct int13_state *state);

#endif
