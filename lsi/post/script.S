/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The SCRIPTS program: one SCSI command from selection to bus free.
 *
 * Before it starts, program.c sets, in the copy that runs, the target's ID and
 * IDENTIFY and what the moves of command and data move, and makes the places of
 * all moves bus addresses. Nothing else changes; neither DSA nor scratch
 * registers are used.
 *
 * The place in the program shows where the data pointer is:
 *   clean   the DATA move begins at the saved pointer: SAVE DATA POINTER
 *           and DISCONNECT need nothing but their handshake
 *   resumed the CPU has moved it: every message but COMMAND COMPLETE
 *           goes to the CPU
 *   done    the data move has run to its end
 *
 * Rules kept here [8xx-TM]: after a message byte ACK stays up until CLEAR
 * ACK; SDU is cleared before the ACK that lets the target leave the bus; the
 * first phase test after a handshake is a WHEN, the others are IFs; nothing
 * stands between SELECT and the first WHEN.
 */
#include "lsi/regs.h"
#include "lsi/script.h"
	.include "lsi/script_insn.inc"

#define MSG_COMMAND_COMPLETE 0x00
#define MSG_SAVE_DATA_POINTER 0x02
#define MSG_DISCONNECT 0x04
#define SDU_OFF 0x7f
#define SSID_ID 0x0f
#define SET_BY_CPU 0
#define IDENTIFY_RESERVED_BITS 0x78 /* all but IDENTIFY and LUN */

	.section .romdata.script, "a"
	.balign	4
	.globl	lsi_script
lsi_script:

/* ---- Selection. Entered when: idle. A target without messages goes straight
 * ---- on to COMMAND; then ATN has to be cleared here.
 */
LABEL script_start
	SELECT_ATN SET_BY_CPU, reselected
	JUMP_WHEN_NOT PHASE_MSG_OUT, clear_atn
	MOVE	1, LSI_MSG_OUT, PHASE_MSG_OUT
LABEL script_msg_out_cut

/* ---- Dispatcher, clean. */
dispatch:
	JUMP_WHEN PHASE_MSG_IN, message_clean
dispatch_data:
LABEL script_patch_data_test
	JUMP_IF	PHASE_RESERVED, data
	JUMP_IF	PHASE_COMMAND, command
	JUMP_IF	PHASE_STATUS, status_early
	INT_IF	PHASE_MSG_OUT, INT_RESEND
	INT	INT_BAD_PHASE

command:
LABEL script_patch_command
	MOVE	SET_BY_CPU, 0, PHASE_COMMAND
	JUMP	dispatch

/* ---- Dispatcher, resumed by the CPU: after a message that the target does not
 * ---- take, or any other event.
 */
LABEL script_clear_atn
clear_atn:
	CLEAR_ATN
LABEL script_resume
resume:
	JUMP_WHEN_NOT PHASE_MSG_IN, dispatch_data
	MOVE	1, LSI_MSG_IN, PHASE_MSG_IN
	JUMP_IF_BYTE MSG_COMMAND_COMPLETE, complete
	INT	INT_MESSAGE

data:
LABEL script_patch_data_move
	MOVE	SET_BY_CPU, 0, PHASE_RESERVED
LABEL script_data_cut
	/* 86Box does not stop when the target ends a move early, but DBC keeps
	 * the number of bytes left. On a chip, DBC holds the low 24 bits of the
	 * instruction that reads it: 0, 0 and the register's number. A move is
	 * too short to leave that number (MOST_MOVE_BYTES).
	 */
	OR_TO_SFBR LSI_DBC, 0
	INT_IF_NOT_BYTE 0, INT_SHORT
	OR_TO_SFBR LSI_DBC + 1, 0
	INT_IF_NOT_BYTE 0, INT_SHORT
	OR_TO_SFBR LSI_DBC_HIGH, 0
	JUMP_IF_BYTE 0, done
	INT_IF_NOT_BYTE LSI_DBC_HIGH, INT_SHORT

/* ---- Dispatcher, done. */
done:
	JUMP_WHEN PHASE_MSG_IN, message_done
	JUMP_IF	PHASE_STATUS, status
	INT_IF	PHASE_MSG_OUT, INT_RESEND_DONE
	INT	INT_BAD_PHASE_DONE

/* The place of the status byte shows the CPU whether all data had moved. */
status_early:
	MOVE	1, LSI_STATUS_EARLY, PHASE_STATUS
	JUMP_IF_BYTE NO_STATUS, stranger	/* it would be taken for none */
	JUMP	done
status:
	MOVE	1, LSI_STATUS, PHASE_STATUS
	JUMP	done

/* ---- Messages. COMMAND COMPLETE at LSI_MSG_IN shows the CPU that only bus free and
 * ---- an INT follow; other bytes of 0 go elsewhere.
 */
message_done:
	MOVE	1, LSI_MSG_IN, PHASE_MSG_IN
	JUMP_IF_BYTE MSG_COMMAND_COMPLETE, complete
	INT	INT_MESSAGE_DONE

message_clean:
	MOVE	1, LSI_MSG_IN, PHASE_MSG_IN
	JUMP_IF_BYTE MSG_DISCONNECT, disconnect
	JUMP_IF_BYTE MSG_COMMAND_COMPLETE, complete
	INT_IF_NOT_BYTE MSG_SAVE_DATA_POINTER, INT_MESSAGE
	CLEAR_ACK
	JUMP	dispatch

/* ---- COMMAND COMPLETE. No phase test after it: the bus is free. */
complete:
	AND_REGISTER LSI_SCNTL2, SDU_OFF
	CLEAR_ACK_ATN
free:
	WAIT_DISCONNECT
	INT	INT_COMPLETE

/* ---- DISCONNECT, then back again. Leaves with: clean, the CPU having put
 * ---- the pointer back to the saved one if it had moved.
 */
LABEL script_disconnect
disconnect:
	AND_REGISTER LSI_SCNTL2, SDU_OFF
	CLEAR_ACK
	WAIT_DISCONNECT
	WAIT_RESELECT reselected
	AND_TO_SFBR LSI_SSID, SSID_ID
LABEL script_patch_target
	INT_IF_NOT_BYTE SET_BY_CPU, INT_RESELECTED
	INT_WHEN_NOT PHASE_MSG_IN, INT_RESELECTED
	MOVE	1, LSI_MSG_MORE, PHASE_MSG_IN
LABEL script_patch_identify
	INT_IF_NOT_BYTE_MASKED SET_BY_CPU, IDENTIFY_RESERVED_BITS, INT_RESELECTED
	CLEAR_ACK
	JUMP	dispatch

/* ---- Entries for the CPU after INT_MESSAGE and the like. */
LABEL script_ack			/* message accepted */
	CLEAR_ACK
	JUMP	resume
LABEL script_reply			/* answer with the message at MSG_OUT */
	SET_ATN				/* before ACK drops */
	CLEAR_ACK
LABEL script_patch_reply
	MOVE	SET_BY_CPU, LSI_MSG_OUT, PHASE_MSG_OUT
LABEL script_reply_cut
	JUMP	resume
LABEL script_more			/* further bytes of a message */
	CLEAR_ACK
	MOVE	1, LSI_MSG_MORE, PHASE_MSG_IN
	INT	INT_MESSAGE_MORE
LABEL script_drain			/* data that was not asked for: the */
	MOVE	1, LSI_SINK, PHASE_DATA_IN	/* first byte ... */
LABEL script_drain_cut
drained:
	JUMP_WHEN_NOT PHASE_DATA_IN, done
	MOVE	1, LSI_SINK, PHASE_DATA_IN	/* ... and all others */
	JUMP	drained

/* ---- Make a target that was too slow drop its command. It leaves the bus then,
 * ---- which must not raise UDC.
 */
LABEL script_select_to_dismiss
	SELECT_ATN SET_BY_CPU, reselected
	INT_WHEN_NOT PHASE_MSG_OUT, INT_BAD_PHASE
LABEL script_dismiss
	SET_ATN
	CLEAR_ACK
	AND_REGISTER LSI_SCNTL2, SDU_OFF
LABEL script_patch_dismiss
	MOVE	SET_BY_CPU, LSI_MSG_OUT, PHASE_MSG_OUT
	JUMP	free

stranger:
reselected:
	INT	INT_RESELECTED
lsi_script_end:

	.globl	script_bytes
	.set	script_bytes, lsi_script_end - lsi_script
