/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Handles phase mismatches, messages and INT codes.
 * [8xx-TM "Phase mismatch", SCSI-2 "Messages"]
 */
#include "events.h"

#include "pc/phys.h"

/* Period factor of our SDTR: 200 ns, which every target accepts. Without an offset
 * it has no effect.
 */
#define PERIOD_200NS 50

static struct step go_on(enum script_label label)
{
	return (struct step){.entry = label};
}

static struct step end(enum hba_result result)
{
	return (struct step){.over = true, .result = (u8)result};
}

/* The result of a command that cannot continue. END_INT is an INT in a place
 * where another one was expected.
 */
ROM_CONST u8 ending_results[] = {
	[END_TIMEOUT] = HBA_TIMEOUT,	 [END_CHIP] = HBA_CHIP,
	[END_BUS_RESET] = HBA_BUS_RESET, [END_PARITY] = HBA_PARITY,
	[END_NO_TARGET] = HBA_NO_TARGET, [END_BUS_FREE] = HBA_BUS_FREE,
	[END_INT] = HBA_PROTOCOL,	 [END_MISMATCH] = HBA_PROTOCOL,
	[END_COMPLETE] = HBA_PROTOCOL,
};

static enum hba_result ending_result(enum ending ending)
{
	return (enum hba_result)ending_results[ending];
}

/* ---- Phase mismatch -------------------------------------------------- */

/* The target has ended the data move early, with left_in_move bytes not
 * transferred.
 */
static struct step move_cut(struct exec *x, u32 left_in_move)
{
	if (left_in_move > x->moving)
		return end(HBA_PROTOCOL);
	x->left_after = x->left - x->moving + left_in_move;
	program_set_pointer(x, x->left_after);
	return go_on(script_resume);
}

static struct step on_mismatch(struct exec *x)
{
	struct lsi *lsi = x->lsi;
	bool out = x->request->direction == HBA_DATA_OUT;
	u32 stopped_at = lsi_read32(lsi, LSI_DSP) - phys_of(lsi->script);
	bool in_data = stopped_at == script_data_cut;
	u32 left_in_move = 0;

	/* DSP is the address after the move that was cut short. */
	if (in_data)
		left_in_move = lsi_residual(lsi, out);
	/* Data that came in is in memory. Data for the target that is still
	 * in the FIFOs must be dropped; it is sent again from memory.
	 */
	if (in_data && !out)
		program_clear_leftovers(x);
	else
		lsi_clear_fifos(lsi);
	if (stopped_at == script_command_cut)
		x->command_cut = true;
	/* Seen: QEMU shows DATA IN during a command without data. */
	if (stopped_at == script_drain_cut)
		x->drained = false;
	/* The rest of a message that the target did not accept is dropped. */
	return in_data ? move_cut(x, left_in_move) : go_on(script_clear_atn);
}

/* ---- Messages -------------------------------------------------------- */

static struct step reply(struct exec *x, u8 bytes)
{
	*program_byte(x->lsi, script_patch_reply, INSN_DATA) = bytes;
	x->resends = RESENDS;
	return go_on(script_reply);
}

static struct step reject(struct exec *x)
{
	x->lsi->moved.msg_out[0] = MSG_REJECT;
	return reply(x, 1);
}

/* Fetch the next byte of a message to msg_more. */
static enum hba_result read_more(struct exec *x)
{
	enum ending ending = program_run(x, script_more);

	return ending == END_INT && x->code == INT_MESSAGE_MORE
		       ? HBA_OK
		       : ending_result(ending);
}

/* Answer a target's offer with the same message, but offset 0 or 8 bits, so that
 * both sides stay asynchronous and narrow. The answer to an offer of ours is not
 * answered, but must not be more than it.
 */
static struct step on_extended(struct exec *x)
{
	struct lsi *lsi = x->lsi;
	u8 *out = lsi->moved.msg_out;
	u32 at = 1;
	enum hba_result result = read_more(x);
	u8 left = out[at] = lsi->moved.msg_more; /* 0 means 256 */

	do {
		if (result != HBA_OK)
			return end(result);
		result = read_more(x);
		if (at < LSI_MESSAGE_BYTES - 1)
			at++;
		out[at] = lsi->moved.msg_more;
	} while (--left);
	if (result != HBA_OK)
		return end(result);
	if (!(out[2] == EXTENDED_SDTR && out[1] == SDTR_BYTES - 2) &&
	    !(out[2] == EXTENDED_WDTR && out[1] == WDTR_BYTES - 2))
		return reject(x);
	if (out[2] == x->offered) {
		x->offered = 0;
		x->resends = 0; /* the answer has replaced our message */
		return out[at] ? reject(x) : go_on(script_ack);
	}
	out[0] = MSG_EXTENDED;
	out[at] = 0; /* offset or width */
	return reply(x, (u8)(at + 1));
}

/* The target has rejected our last message: continue without it. A target that
 * rejects WDTR is narrow, but may be synchronous. If it rejects our MESSAGE REJECT,
 * no message can help.
 */
static struct step on_reject(struct exec *x)
{
	u8 *out = x->lsi->moved.msg_out;

	if (x->offered == EXTENDED_WDTR) {
		x->offered = EXTENDED_SDTR;
		out[0] = MSG_EXTENDED;
		out[1] = SDTR_BYTES - 2;
		out[2] = EXTENDED_SDTR;
		out[3] = PERIOD_200NS;
		out[4] = 0; /* offset */
		return reply(x, SDTR_BYTES);
	}
	if (out[0] == MSG_REJECT)
		return end(HBA_PROTOCOL);
	return go_on(script_ack);
}

static struct step on_message(struct exec *x)
{
	u8 message = x->lsi->moved.msg_in;

	switch (message) {
	case MSG_SAVE_DATA_POINTER:
		x->saved_left = x->left;
		return go_on(script_ack);
	case MSG_RESTORE_POINTERS:
		/* Data is moved again, unless DISCONNECT has already restored
		 * the pointer.
		 */
		if (x->left != x->saved_left)
			x->left_after = x->saved_left;
		/* fall through */
	case MSG_DISCONNECT:
		program_set_pointer(x, x->saved_left);
		x->command_cut = false;
		return go_on(message == MSG_DISCONNECT ? script_disconnect
						       : script_ack);
	case MSG_EXTENDED:
		return on_extended(x);
	case MSG_REJECT:
		return on_reject(x);
	default:
		break;
	}
	if (message >= MSG_TWO_BYTE_FIRST && message <= MSG_TWO_BYTE_LAST) {
		enum hba_result result = read_more(x);
		if (result != HBA_OK)
			return end(result);
		if (message == MSG_IGNORE_WIDE_RESIDUE)
			return go_on(script_ack); /* narrow: nothing to do */
	}
	return reject(x);
}

/* ---- The program's INT codes ------------------------------------------ */

/* Bytes left after an INT of the `done` dispatcher */
static u32 left_after_move(const struct exec *x)
{
	bool counts = !x->data_ended &&
		      x->lsi->moved.status[0] == NO_SCSI_STATUS;

	return counts ? x->left - x->moving : x->left_after;
}

/* The data move has ended: set the next one. No data follows a status byte. */
static void note_data_done(struct exec *x)
{
	u8 *status = x->lsi->moved.status;

	x->left_after = left_after_move(x);
	/* A further status replaces this one, wherever the program stores it. */
	if (status[1] != NO_SCSI_STATUS) {
		status[0] = status[1];
		status[1] = NO_SCSI_STATUS;
	}
	if (status[0] != NO_SCSI_STATUS)
		x->data_ended = true;
	program_set_pointer(x, x->left_after);
}

enum hba_result events_complete(struct exec *x)
{
	struct lsi *lsi = x->lsi;
	struct hba_request *request = x->request;
	u32 left = x->left_after;

	request->status = lsi->moved.status[0];
	if (lsi->moved.status[1] != NO_SCSI_STATUS) {
		request->status = lsi->moved.status[1];
		left = left_after_move(x);
	}
	/* Without a status byte the data may be wrong. */
	if (request->status == NO_SCSI_STATUS)
		return HBA_BUS_FREE;
	request->moved = request->data_bytes - left;
	lsi->hba.doubtful &= ~(1u << request->target); /* agree() was heeded */
	request->overrun = x->drained;
	return HBA_OK;
}

/* A phase that the program does not expect. After the end of a data move, a
 * data phase is for the next move. Other data in is discarded. Data out
 * cannot be made up, as a disk would store it. Other phases are protocol
 * errors.
 */
static struct step on_bad_phase(struct exec *x)
{
	u8 phase = lsi_read8(x->lsi, LSI_SSTAT1) & SSTAT1_PHASE_MASK;

	if (x->left && !x->data_ended && phase == program_data_phase(x->request))
		return go_on(script_resume);
	if (phase != PHASE_DATA_IN)
		return end(HBA_PROTOCOL);
	x->data_ended = true;
	x->drained = true;
	return go_on(script_drain);
}

static struct step on_int(struct exec *x)
{
	switch (x->code) {
	case INT_MESSAGE_DONE:
		note_data_done(x);
		/* fall through */
	case INT_MESSAGE:
		return on_message(x);
	case INT_BAD_PHASE_DONE:
		note_data_done(x);
		return on_bad_phase(x);
	case INT_BAD_PHASE:
		x->data_ended = true;
		return on_bad_phase(x);
	case INT_RESEND_DONE:
		note_data_done(x);
		/* fall through */
	case INT_RESEND:
		if (!x->resends--)
			return end(HBA_PROTOCOL);
		return go_on(script_reply);
	case INT_COMMAND:
		/* The move sends all of the command, and the clean dispatcher
		 * follows it.
		 */
		if (x->command_cut || x->left != x->saved_left)
			return end(HBA_PROTOCOL);
		return go_on(script_patch_command);
	case INT_SHORT:
		return move_cut(x, lsi_residual(x->lsi, false));
	default: /* INT_RESELECTED, INT_OTHER_DRIVER, or an undefined code */
		return end(HBA_PROTOCOL);
	}
}

struct step events_act(struct exec *x, enum ending ending)
{
	switch (ending) {
	case END_INT:
		return on_int(x);
	case END_MISMATCH:
		return on_mismatch(x);
	case END_NO_TARGET:
	case END_BUS_FREE:
	case END_BUS_RESET:
	case END_PARITY:
	case END_TIMEOUT:
	case END_CHIP:
	case END_COMPLETE:
		break;
	}
	return end(ending_result(ending));
}
