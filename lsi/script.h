/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * What C and the SCRIPTS program have to agree on: the bytes it moves, the
 * interrupt codes, and the labels. Read by C and by the assembler.
 */
#ifndef LSI_SCRIPT_H
#define LSI_SCRIPT_H

/* Offsets in struct lsi, which is asserted against them */
#define LSI_MSG_OUT 8
#define LSI_STATUS_EARLY 16 /* status while data was still to come */
#define LSI_STATUS 17	    /* status after all data */
#define LSI_MSG_IN 18	    /* first byte of a message */
#define LSI_MSG_MORE 19	    /* further bytes, and IDENTIFY */
#define LSI_SINK 20	    /* one byte that nobody wants */

#define NO_STATUS 0xff

/* INT codes (DSPS) */
#define INT_COMPLETE 1	   /* COMMAND COMPLETE, bus free */
#define INT_MESSAGE 2	   /* message in memory, ACK still up; data to come */
#define INT_MESSAGE_DONE 3 /* the same, all data moved */
#define INT_MESSAGE_MORE 4 /* the bytes asked for with `more` are there */
#define INT_BAD_PHASE 5	   /* see SSTAT1; data to come */
#define INT_BAD_PHASE_DONE 6 /* see SSTAT1; all data moved */
#define INT_RESEND 7	   /* target asks for our last message again */
#define INT_RESEND_DONE 8  /* the same, all data moved */
#define INT_RESELECTED 9   /* somebody else (re)selected us, or a status that is none */
#define INT_SHORT 10	   /* data move ended early, DBC is what is left */

#define SCRIPT_DWORDS 154 /* length of the program; rom.ld checks it */

#ifndef __ASSEMBLER__

#include "regs.h"
#include "pc/types.h"

/* The program in the ROM, to be copied where the chip can fetch it. */
extern const u32 __seg_gs lsi_script[SCRIPT_DWORDS];

/* Labels are absolute symbols: byte offsets from the start. */
#define SCRIPT_LABEL(name) ((u32)(name))
extern const char script_start[], script_resume[], script_ack[],
	script_clear_atn[], script_reply[], script_more[],
	script_disconnect[], script_drain[], script_select_to_dismiss[],
	script_dismiss[];
/* DSP after a move that was cut short */
extern const char script_msg_out_cut[], script_reply_cut[], script_data_cut[],
	script_drain_cut[];
/* What is set for each command: the ID to select (byte 2 of script_start and
 * script_select_to_dismiss), the phase of the test (byte 3), what moves move, ...
 */
extern const char script_patch_data_test[], script_patch_data_move[],
	script_patch_command[];
/* ... counts of moves and values to compare with (byte 0) */
extern const char script_patch_reply[], script_patch_dismiss[],
	script_patch_target[], script_patch_identify[];

#endif
#endif
