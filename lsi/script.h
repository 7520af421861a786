/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The interface between C and the SCRIPTS program: the bytes that the program
 * moves and its interrupt codes. Included by C and by assembly.
 */
#ifndef LSI_SCRIPT_H
#define LSI_SCRIPT_H

/* Offsets in struct lsi_moved, which is asserted against them */
#define LSI_MSG_OUT 0
#define LSI_STATUS_EARLY 8 /* status while data was still to come */
#define LSI_STATUS 9	   /* status after all data */
#define LSI_MSG_IN 10	   /* first byte of a message */
#define LSI_MSG_MORE 11	   /* further bytes of a message; IDENTIFY */
#define LSI_SINK 12	   /* one byte that is discarded */

#define NO_SCSI_STATUS 0xff

/* INT codes (DSPS) */
#define INT_COMPLETE 1	   /* COMMAND COMPLETE, bus free */
#define INT_MESSAGE 2	   /* message in memory, ACK asserted; data to come */
#define INT_MESSAGE_DONE 3 /* the same, all data moved */
#define INT_MESSAGE_MORE 4 /* the byte requested at script_more is in memory */
#define INT_BAD_PHASE 5	   /* unexpected phase, in SSTAT1; data to come */
#define INT_BAD_PHASE_DONE 6 /* the same, all data moved */
#define INT_RESEND 7	   /* the target requests our last message again */
#define INT_RESEND_DONE 8  /* the same, all data moved */
#define INT_RESELECTED 9   /* (re)selected by another device, or a status of NO_SCSI_STATUS */
#define INT_SHORT 10	   /* data move ended early; DBC has the bytes left */
#define INT_OTHER_DRIVER 11 /* DSA is not ours; the target is not yet selected */
#define INT_COMMAND 12	   /* command phase after an event */

/* Top byte of DSA, which the program does not use. Another driver that has used
 * the chip leaves another value: no memory lies at such an address.
 */
#define OUR_DSA_TOP 0xfe

#define SCRIPT_DWORDS 172 /* length of the program; program.c checks it */

#ifndef __ASSEMBLER__

#include "pc/types.h"

#define LSI_MESSAGE_BYTES 8

/* All bytes that the program moves, except data and command */
struct lsi_moved {
	u8 msg_out[LSI_MESSAGE_BYTES];
	u8 status[2]; /* early, after all data; NO_SCSI_STATUS: not yet */
	u8 msg_in, msg_more;
	u8 sink;
};

/* The program in the ROM image. It must be copied to memory from which the
 * chip can fetch it. The Makefile generates lsi/script_labels.h with its
 * labels.
 */
extern IN_ROM u32 lsi_script[SCRIPT_DWORDS];

#endif
#endif
