/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The lowest layer of a command: sets the copy of the SCRIPTS program for one
 * command, runs it from a label until it stops, and reports why it stopped.
 * events.c decides what follows; exec.c fulfils the contract of scsi/hba.h.
 */
#ifndef LSI_PROGRAM_H
#define LSI_PROGRAM_H

#include "lsi.h"
#include "lsi/script_labels.h"
#include "regs.h"

/* Messages [SCSI-2 "Message codes"] */
#define MSG_COMMAND_COMPLETE 0x00
#define MSG_EXTENDED 0x01
/* Its third byte, and the length [SCSI-2 "Synchronous data transfer request",
 * "Wide data transfer request"]
 */
#define EXTENDED_SDTR 0x01
#define SDTR_BYTES 5
#define EXTENDED_WDTR 0x03
#define WDTR_BYTES 4
#define MSG_SAVE_DATA_POINTER 0x02
#define MSG_RESTORE_POINTERS 0x03
#define MSG_DISCONNECT 0x04
#define MSG_ABORT 0x06
#define MSG_REJECT 0x07
#define MSG_NO_OPERATION 0x08
#define MSG_BUS_DEVICE_RESET 0x0c
#define MSG_IGNORE_WIDE_RESIDUE 0x23
#define MSG_TWO_BYTE_FIRST 0x20
#define MSG_TWO_BYTE_LAST 0x2f
#define MSG_IDENTIFY 0x80
#define IDENTIFY_DISCONNECT 0x40 /* the target may disconnect */

#define RESENDS 3 /* of a message that the target did not receive */

/* Why the program stopped. */
enum ending {
	END_TIMEOUT,
	END_CHIP,      /* bus fault, illegal instruction, gross error */
	END_BUS_RESET,
	END_PARITY,
	END_NO_TARGET,
	END_BUS_FREE,
	END_INT,       /* an INT instruction: code in `code` */
	END_MISMATCH,  /* the target changed the phase during a move */
	END_COMPLETE,  /* COMMAND COMPLETE and bus free: the last INT */
};

/* One command under way */
struct exec {
	struct lsi *lsi;
	struct hba_request *request;
	struct clock clock;
	u32 causes;	/* of the last stop: SIST in 15:0, DSTAT in 23:16 */
	u32 code;	/* of the last INT: INT_... of script.h */
	u32 left, saved_left; /* data pointers: bytes still to move */
	u32 moving;	/* bytes of the next data move */
	u32 left_after; /* `left` after the last data move. A target that has moved
			 * all data may disconnect without SAVE DATA POINTER: `left`
			 * goes back, but the data has moved. If it moves data again,
			 * only that counts. */
	bool data_ended; /* no more data is accepted, although not all of it has
			  * moved */
	bool command_cut; /* the target has taken a part of the command, and would take the
			   * rest if it requested it */
	bool drained;	/* data that was not requested was discarded */
	u8 resends;	/* how often a message may still be sent again */
	u8 offered;	/* code of our SDTR or WDTR that is not yet answered, else 0 */
};

/* Offsets in an instruction of the bytes that are set for a command */
#define INSN_DATA 0
#define INSN_ID 2
#define INSN_CODE 3

/* A byte of an instruction in the copy of the program */
static inline u8 *program_byte(struct lsi *lsi, enum script_label label,
			       u32 offset)
{
	return (u8 *)lsi->script + label + offset;
}

/* Number of bytes at msg_out to send after the selection */
static inline u8 *program_message_bytes(struct lsi *lsi)
{
	return program_byte(lsi, script_patch_messages, INSN_DATA);
}

/* Phase of the request's data: PHASE_DATA_OUT or PHASE_DATA_IN */
static inline u8 program_data_phase(const struct hba_request *request)
{
	return request->direction == HBA_DATA_OUT ? PHASE_DATA_OUT
						  : PHASE_DATA_IN;
}

/* Set the program and *x for a new command. The caller starts x->clock. */
void program_begin(struct exec *x, struct lsi *lsi,
		   struct hba_request *request);

/* Set the data pointer so that `left` bytes (0 to data_bytes) are still to
 * move. With x->data_ended, the program accepts no data phase.
 */
void program_set_pointer(struct exec *x, u32 left);

/* Clear status and messages that an earlier run has moved. */
void program_clear_answers(struct lsi *lsi);

/* Run the program from a label until it stops or x->clock has expired. Sets
 * x->causes except with END_COMPLETE and END_TIMEOUT, and x->code with
 * END_INT. With END_COMPLETE, END_NO_TARGET and END_BUS_FREE the FIFOs are
 * empty.
 */
enum ending program_run(struct exec *x, enum script_label entry);

/* Clear both FIFOs if DSTAT has shown that the DMA FIFO is not empty. Bytes
 * left there after a stop are useless, and would prevent the next interrupt.
 */
void program_clear_leftovers(struct exec *x);

#endif
