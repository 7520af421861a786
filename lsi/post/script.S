/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The SCRIPTS program: one SCSI command from selection to bus free.
 *
 * Before a run, program.c sets in the copy that the chip fetches: the
 * target's ID, the messages after the selection, and count and address of the
 * command move and the data move. It also converts the offsets of all other
 * moves to bus addresses. Nothing else changes. No scratch register is used, and
 * DSA only to notice another driver.
 *
 * There is one dispatcher for each state of the data pointer:
 *   clean   the data move begins at the saved pointer: SAVE DATA POINTER and
 *           DISCONNECT need only their handshake
 *   resumed the CPU has set the pointer: every message but COMMAND COMPLETE, and
 *           the command phase, are passed to the CPU
 *   done    the data move has ended
 *
 * If the board has an activity LED, lsi_open() has the test for the command phase jump
 * to the instruction before the command, which turns the LED on, and replaces the first
 * of the two INTs at the end by LED_OFF. Without one, no instruction is added.
 *
 * Rules that the program must follow [8xx-TM]:
 * - After a message byte ACK stays asserted until CLEAR ACK.
 * - SDU is cleared before the ACK after which the target may leave the bus.
 * - The first phase test after a handshake is a WHEN, further tests are IFs.
 * - The first instruction after SELECT is a WHEN.
 */
#include "lsi/regs.h"
#include "lsi/script.h"
	.include "lsi/script_insn.inc"

#define MSG_COMMAND_COMPLETE 0x00
#define MSG_SAVE_DATA_POINTER 0x02
#define MSG_DISCONNECT 0x04
#define SDU_OFF 0x7f
#define SSID_ID 0x0f
#define SBCL_ACK_MSG_IN 0x47 /* ACK, MSG, C/D, I/O */
#define LED_ON 0xfe /* all but GPREG_LED */
#define SET_BY_CPU 0
#define IDENTIFY_RESERVED_BITS 0x78 /* all but IDENTIFY and LUN */

	.section .romdata.script, "a"
	.balign	4
	.globl	lsi_script
lsi_script:

/* ---- Selection, the entry for a new command. A target that does not support messages
 * ---- goes to COMMAND at once; then ATN must be cleared here.
 */
LABEL script_start
	OR_TO_SFBR LSI_DSA_TOP, 0
	INT_IF_NOT_BYTE OUR_DSA_TOP, INT_OTHER_DRIVER
LABEL script_patch_select
	SELECT_ATN SET_BY_CPU, reselected
	JUMP_WHEN_NOT PHASE_MSG_OUT, clear_atn
LABEL script_patch_messages
	MOVE	SET_BY_CPU, LSI_MSG_OUT, PHASE_MSG_OUT

/* ---- Dispatcher, clean. */
dispatch:
	JUMP_WHEN PHASE_MSG_IN, message_clean
dispatch_data:
LABEL script_patch_data_test
	JUMP_IF	PHASE_RESERVED, data
LABEL script_patch_command_test
	JUMP_IF	PHASE_COMMAND, command
	JUMP_IF	PHASE_STATUS, status_early
	INT_IF	PHASE_MSG_OUT, INT_RESEND
	INT	INT_BAD_PHASE

	AND_REGISTER LSI_GPREG, LED_ON
LABEL script_patch_command
command:
	MOVE	SET_BY_CPU, 0, PHASE_COMMAND
LABEL script_command_cut
	JUMP	dispatch

/* ---- Dispatcher, resumed: the CPU continues here after an event; at clear_atn if that
 * ---- may be a message that the target did not accept.
 */
LABEL script_clear_atn
clear_atn:
	CLEAR_ATN
LABEL script_resume
resume:
	JUMP_WHEN_NOT PHASE_MSG_IN, resume_other
	MOVE	1, LSI_MSG_IN, PHASE_MSG_IN
	JUMP_IF_BYTE MSG_COMMAND_COMPLETE, complete
	INT	INT_MESSAGE
resume_other:
	INT_IF	PHASE_COMMAND, INT_COMMAND
	JUMP	dispatch_data

data:
LABEL script_patch_data_move
	MOVE	SET_BY_CPU, 0, PHASE_RESERVED
LABEL script_data_cut
	/* 86Box does not stop when the target ends a move early, but DBC has
	 * the number of bytes left. On a chip, DBC has the low 24 bits of the
	 * instruction that reads it: 0, 0 and the register's number. Moves
	 * are so short that no rest of them has that number there
	 * (MOST_MOVE_BYTES).
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

/* The address of the status byte shows the CPU whether all data had moved. */
status_early:
	MOVE	1, LSI_STATUS_EARLY, PHASE_STATUS
status_moved:
	JUMP_IF_BYTE NO_SCSI_STATUS, reselected	/* C would see no status */
	JUMP	done
status:
	MOVE	1, LSI_STATUS, PHASE_STATUS
	JUMP	status_moved

/* ---- Messages. COMMAND COMPLETE at LSI_MSG_IN shows the CPU that only bus free and
 * ---- an INT follow, so no other byte that may be 0 is moved there.
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
accepted:
	CLEAR_ACK
	JUMP	dispatch

/* ---- COMMAND COMPLETE. No phase test after it: the bus is free. */
complete:
	AND_REGISTER LSI_SCNTL2, SDU_OFF
	CLEAR_ACK_ATN
free:
	WAIT_DISCONNECT
LABEL script_patch_led_off
	INT	INT_COMPLETE
	INT	INT_COMPLETE

/* ---- DISCONNECT, then reselection. Continues at the clean dispatcher: if the data
 * ---- pointer had changed, the CPU has restored the saved one.
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
	JUMP	accepted

/* ---- Entries for the CPU after an INT. */
LABEL script_ack			/* message accepted */
	CLEAR_ACK
	JUMP	resume
LABEL script_reply			/* answer with the message at LSI_MSG_OUT */
	SET_ATN				/* before ACK drops */
	CLEAR_ACK
LABEL script_patch_reply
	MOVE	SET_BY_CPU, LSI_MSG_OUT, PHASE_MSG_OUT
	JUMP	resume
LABEL script_more			/* further bytes of a message */
	CLEAR_ACK
	MOVE	1, LSI_MSG_MORE, PHASE_MSG_IN
	INT	INT_MESSAGE_MORE
LABEL script_drain			/* discard data that was not requested */
	MOVE	1, LSI_SINK, PHASE_DATA_IN	/* the first byte */
LABEL script_drain_cut
drained:
	JUMP_WHEN_NOT PHASE_DATA_IN, done
	MOVE	1, LSI_SINK, PHASE_DATA_IN	/* all others */
	JUMP	drained

/* ---- Send ABORT or BUS DEVICE RESET to a target that has timed out. The target then
 * ---- leaves the bus, which must not raise UDC. If it leaves already with the ACK of COMMAND
 * ---- COMPLETE or DISCONNECT, no message is sent.
 */
LABEL script_select_to_dismiss
	SELECT_ATN SET_BY_CPU, reselected
	INT_WHEN_NOT PHASE_MSG_OUT, INT_BAD_PHASE
LABEL script_dismiss
	JUMP_IF_NOT_BYTE_MASKED MSG_COMMAND_COMPLETE, MSG_DISCONNECT, dismiss
	AND_TO_SFBR LSI_SBCL, SBCL_ACK_MSG_IN
	JUMP_IF_BYTE SBCL_ACK_MSG_IN, complete
dismiss:
	SET_ATN
	CLEAR_ACK
	AND_REGISTER LSI_SCNTL2, SDU_OFF
LABEL script_patch_dismiss
	MOVE	SET_BY_CPU, LSI_MSG_OUT, PHASE_MSG_OUT
	JUMP	free

reselected:
	INT	INT_RESELECTED
lsi_script_end:

	.globl	script_bytes
	.set	script_bytes, lsi_script_end - lsi_script
