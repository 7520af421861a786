/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * One command: complete the program, run it, classify why it stopped, act on
 * that, until the command is over. See script.S for the other half.
 */
#include "lsi.h"

#include "pc/phys.h"
#include "regs.h"

/* Messages [SCSI-2 "Message codes"] */
#define MSG_COMMAND_COMPLETE 0x00
#define MSG_EXTENDED 0x01
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
#define EXTENDED_SDTR 0x01
#define EXTENDED_SDTR_BYTES 3
#define EXTENDED_WDTR 0x03
#define EXTENDED_WDTR_BYTES 2

#define RESENDS 3 /* of a message the target did not get */

#define DISMISS_TIMEOUT_MS 500

/* What ISTAT must not say before a command. */
#define ISTAT_NOT_IDLE (ISTAT_CON | ISTAT_SIP | ISTAT_DIP)

/* Offsets within an instruction, for what is set per command. */
#define INSN_DATA 0
#define INSN_ID 2
#define INSN_CODE 3

/* Codes of instructions, without a phase in their low bits */
#define CODE_MOVE 0x08
#define CODE_JUMP_IF 0x80
#define NO_MOVE_BITS 0xc0000000u /* of the first dword; 0 in block moves only */

/* The data test stands behind one for MSG IN: that cannot be it. */
#define NO_DATA_PHASE PHASE_MSG_IN

/* Why the program stopped. */
enum ending {
	END_TIMEOUT,
	END_CHIP,      /* bus fault, illegal instruction, gross error */
	END_BUS_RESET,
	END_PARITY,
	END_NO_TARGET,
	END_BUS_FREE,
	END_INT,       /* an INT instruction: code in `code` */
	END_MISMATCH,  /* the target went to another phase in mid-move */
	END_COMPLETE,  /* COMMAND COMPLETE and bus free: the last INT */
};

/* What to do next: go on at a label, or end the command. */
struct step {
	bool over;
	u8 result;  /* enum hba_result, if over */
	u32 entry;  /* label, if not */
};

struct exec {
	struct lsi *lsi;
	struct hba_request *request;
	struct clock clock;
	u32 causes;		    /* of the last stop: SIST, DSTAT */
	u32 code;		    /* of the last INT */
	u32 left, saved_left; /* data pointers: bytes still to move */
	u32 moving;	      /* of these, with the next data move */
	u32 least_left; /* bytes that never moved: a target that has sent all
			 * may disconnect without a SAVE, and that the pointer
			 * then goes back does not unmove them */
	bool data_ended; /* no more data will be taken, although not all of
			  * it has moved */
	bool drained;
	u8 resends;
};

static struct step go_on(const char *label)
{
	return (struct step){.entry = SCRIPT_LABEL(label)};
}

static struct step end(enum hba_result result)
{
	return (struct step){.over = true, .result = (u8)result};
}

/* What an ending means for a command that cannot go on. INT: not where it was
 * expected.
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

/* An instruction of the copy that runs */
static u32 *insn(struct lsi *lsi, const char *label)
{
	return (u32 *)((u8 *)lsi->script + SCRIPT_LABEL(label));
}

static u8 *insn_byte(struct lsi *lsi, const char *label, u32 offset)
{
	return (u8 *)insn(lsi, label) + offset;
}

static u8 data_phase(const struct hba_request *request)
{
	return request->direction == HBA_DATA_OUT ? PHASE_DATA_OUT
						  : PHASE_DATA_IN;
}

/* Tell the program where the data pointer is: in which segment, and how far.
 * With nothing left to move, which would be an illegal block move of 0 bytes, or
 * when no more data is taken, it accepts no data phase.
 */
static void set_pointer(struct exec *x, u32 left)
{
	const struct phys_range *segment = &x->request->data;
	const struct phys_range *next = x->request->more;
	u32 done = x->request->data_bytes - left;
	u8 phase = data_phase(x->request);
	u32 *move = insn(x->lsi, script_patch_data_move);

	x->left = left;
	if (left < x->least_left)
		x->least_left = left;
	if (left && !x->data_ended) {
		for (; done >= segment->bytes; segment = next++)
			done -= segment->bytes;
		move[1] = segment->address + done;
		done = segment->bytes - done;
		if (left > done)
			left = done;
		move[0] = (u32)(CODE_MOVE | phase) << 24 | left;
	} else {
		phase = NO_DATA_PHASE;
	}
	x->moving = left;
	*insn_byte(x->lsi, script_patch_data_test, INSN_CODE) =
		CODE_JUMP_IF | phase;
}

/* Where our own memory lies on the bus can differ from call to call
 * (pc/vds.h).
 */
static void place_moves(struct lsi *lsi)
{
	u32 way = phys_of(lsi) - lsi->place;

	if (!way)
		return;
	lsi->place += way;
	for (u32 i = 0; i < SCRIPT_DWORDS; i += 2)
		if (!(lsi->script[i] & NO_MOVE_BITS))
			lsi->script[i + 1] += way;
}

/* What was there from an earlier command must not be taken for news. */
static void forget_answers(struct lsi *lsi)
{
	lsi->status[0] = NO_STATUS;
	lsi->status[1] = NO_STATUS;
	lsi->msg_in = MSG_NO_OPERATION;
}

static void prepare(struct exec *x, struct lsi *lsi,
		    struct hba_request *request)
{
	u8 target = request->target;

	x->lsi = lsi;
	x->request = request;
	place_moves(lsi);
	forget_answers(lsi);
	lsi->msg_out[0] = MSG_IDENTIFY | request->lun;
	*insn_byte(lsi, script_start, INSN_ID) = target;
	*insn_byte(lsi, script_select_to_dismiss, INSN_ID) = target;
	*insn_byte(lsi, script_patch_target, INSN_DATA) = target;
	*insn_byte(lsi, script_patch_identify, INSN_DATA) = lsi->msg_out[0];
	*insn_byte(lsi, script_patch_reply, INSN_DATA) = 1;
	*insn_byte(lsi, script_patch_command, INSN_DATA) = request->cdb_bytes;
	insn(lsi, script_patch_command)[1] = phys_of(request->cdb);
	x->data_ended = false;
	x->drained = false;
	x->resends = RESENDS;
	x->saved_left = request->data_bytes;
	x->least_left = request->data_bytes;
	set_pointer(x, request->data_bytes);
}

/* Wait until the chip has something to say: ISTAT, or 0 if the time is over.
 * While the program runs, only memory and ISTAT are looked at.
 */
static u8 wait_istat(struct exec *x)
{
	volatile u8 *msg_in = &x->lsi->msg_in;

	for (;;) {
		for (u32 i = x->lsi->spins;
		     i && *msg_in != MSG_COMMAND_COMPLETE; i--)
			cpu_pause();
		u8 istat = lsi_read8(x->lsi, LSI_ISTAT);
		if (istat & (ISTAT_SIP | ISTAT_DIP))
			return istat;
		if (clock_expired(&x->clock))
			return 0;
	}
}

/* SIST in the low half, DSTAT from bit 16 up. */
#define CAUSE_DSTAT(bit) ((u32)(bit) << 16)
#define CAUSE_DSTAT_FATAL \
	CAUSE_DSTAT(DSTAT_MDPE | DSTAT_BF | DSTAT_ABRT | DSTAT_IID)

/* Collect all causes: a second may be stacked behind the first. */
static u32 read_causes(struct lsi *lsi, u8 istat)
{
	u32 causes = 0;

	for (u32 i = 0; i < MOST_STACKED_CAUSES; i++) {
		if (istat & ISTAT_SIP)
			causes |= lsi_read16(lsi, LSI_SIST);
		/* DFE matters after a SCSI interrupt too */
		causes |= CAUSE_DSTAT(lsi_read8(lsi, LSI_DSTAT));
		istat = lsi_read8(lsi, LSI_ISTAT);
		if (!(istat & (ISTAT_SIP | ISTAT_DIP)))
			return causes;
	}
	/* It does not stop: the chip is gone or broken. */
	return causes | SIST_SGE;
}

struct cause_row {
	u32 causes;
	u8 ending;
};

/* The first row that fits decides: what makes the others meaningless comes
 * first. MA with an INT behind it means that the INT counts.
 */
ROM_CONST struct cause_row cause_table[] = {
	{SIST_RST | SIST_SBMC, END_BUS_RESET},
	{CAUSE_DSTAT_FATAL | SIST_SGE, END_CHIP},
	{SIST_PAR, END_PARITY},
	{SIST_STO, END_NO_TARGET},
	{SIST_UDC, END_BUS_FREE},
	{CAUSE_DSTAT(DSTAT_SIR), END_INT},
	{SIST_MA, END_MISMATCH},
};

static enum ending classify(u32 causes)
{
	for (u32 i = 0; i < ARRAY_SIZE(cause_table); i++)
		if (causes & cause_table[i].causes)
			return (enum ending)cause_table[i].ending;
	return END_CHIP;
}

/* Bytes left in the FIFO after a stop are no use to anybody, and lock out the
 * next interrupt.
 */
static void clear_leftovers(struct exec *x)
{
	if (!(x->causes & CAUSE_DSTAT(DSTAT_DFE)))
		lsi_clear_fifos(x->lsi);
}

/* The program stopped at an INT instruction. Seen: QEMU before 7.2.11 raises
 * an asynchronous mismatch and runs on, so that both are there: from a data
 * move to INT_SHORT, which says as much, or from WAIT RESELECT (after a read
 * error) to the checks behind it, which know nothing.
 */
static enum ending take_int(struct exec *x)
{
	x->code = lsi_read32(x->lsi, LSI_DSPS);
	clear_leftovers(x);
	if (x->code == INT_COMPLETE)
		return END_COMPLETE;
	return x->causes & SIST_MA && x->code == INT_RESELECTED ? END_MISMATCH
								 : END_INT;
}

/* Run the program from a label until it stops. */
static enum ending run(struct exec *x, u32 entry)
{
	struct lsi *lsi = x->lsi;

	lsi_write32(lsi, LSI_DSP, phys_of(lsi->script) + entry);
	u8 istat = wait_istat(x), dstat = 0;
	if (lsi->msg_in == MSG_COMMAND_COMPLETE &&
	    (istat & (ISTAT_SIP | ISTAT_DIP)) == ISTAT_DIP) {
		/* Only one INT comes behind this message. What is stacked
		 * behind that is about the time after the command: the next
		 * one will see it.
		 */
		dstat = lsi_read8(lsi, LSI_DSTAT);
		if (dstat == (DSTAT_SIR | DSTAT_DFE))
			return END_COMPLETE;
		istat = lsi_read8(lsi, LSI_ISTAT);
	} else if (!istat) {
		return END_TIMEOUT;
	}
	x->causes = CAUSE_DSTAT(dstat) | read_causes(lsi, istat);
	enum ending ending = classify(x->causes);
	if (ending == END_INT)
		return take_int(x);
	if (ending == END_NO_TARGET || ending == END_BUS_FREE)
		lsi_clear_fifos(lsi);
	return ending;
}

/* ---- Phase mismatch -------------------------------------------------- */

/* So many bytes of the data move did not get across; the target has gone to
 * another phase.
 */
static struct step move_cut(struct exec *x, u32 left_in_move)
{
	if (left_in_move > x->moving)
		return end(HBA_PROTOCOL);
	set_pointer(x, x->left - x->moving + left_in_move);
	return go_on(script_resume);
}

static struct step on_mismatch(struct exec *x)
{
	struct lsi *lsi = x->lsi;
	bool out = x->request->direction == HBA_DATA_OUT;
	u32 stopped_at = lsi_read32(lsi, LSI_DSP) - phys_of(lsi->script);
	bool in_data = stopped_at == SCRIPT_LABEL(script_data_cut);
	u32 left_in_move = 0;

	/* DSP is past the move that was cut short. */
	if (in_data)
		left_in_move = lsi_residual(lsi, out);
	/* Data that came in is in memory; what was to go out is not wanted. */
	if (in_data && !out)
		clear_leftovers(x);
	else
		lsi_clear_fifos(lsi);
	/* Seen: QEMU shows DATA IN while a command without data works. */
	if (stopped_at == SCRIPT_LABEL(script_drain_cut))
		x->drained = false;
	if (stopped_at == SCRIPT_LABEL(script_msg_out_cut) ||
	    stopped_at == SCRIPT_LABEL(script_reply_cut))
		return go_on(script_clear_atn);
	return in_data ? move_cut(x, left_in_move) : go_on(script_resume);
}

/* ---- Messages -------------------------------------------------------- */

static struct step reply(struct exec *x, u8 bytes)
{
	*insn_byte(x->lsi, script_patch_reply, INSN_DATA) = bytes;
	x->resends = RESENDS;
	return go_on(script_reply);
}

static struct step reject(struct exec *x)
{
	x->lsi->msg_out[0] = MSG_REJECT;
	return reply(x, 1);
}

/* Fetch the next byte of a message to msg_more. */
static enum hba_result read_more(struct exec *x)
{
	enum ending ending = run(x, SCRIPT_LABEL(script_more));

	return ending == END_INT && x->code == INT_MESSAGE_MORE
		       ? HBA_OK
		       : ending_result(ending);
}

/* Answer a target's offer so that both sides stay asynchronous and narrow
 * [SCSI-2 "Synchronous data transfer request", "Wide data transfer request"].
 */
static struct step on_extended(struct exec *x)
{
	struct lsi *lsi = x->lsi;
	u32 length, left;
	u8 code = 0, period = 0;

	enum hba_result result = read_more(x);
	length = lsi->msg_more ? lsi->msg_more : 256;
	for (left = length; result == HBA_OK && left; left--) {
		result = read_more(x);
		if (left == length)
			code = lsi->msg_more;
		else if (left == length - 1)
			period = lsi->msg_more;
	}
	if (result != HBA_OK)
		return end(result);
	lsi->msg_out[0] = MSG_EXTENDED;
	lsi->msg_out[1] = (u8)length;
	lsi->msg_out[2] = code;
	if (code == EXTENDED_SDTR && length == EXTENDED_SDTR_BYTES) {
		lsi->msg_out[3] = period;
		lsi->msg_out[4] = 0; /* offset 0: asynchronous */
		return reply(x, 5);
	}
	if (code == EXTENDED_WDTR && length == EXTENDED_WDTR_BYTES) {
		lsi->msg_out[3] = 0; /* 8 bits */
		return reply(x, 4);
	}
	return reject(x);
}

static struct step on_message(struct exec *x)
{
	u8 message = x->lsi->msg_in;

	switch (message) {
	case MSG_SAVE_DATA_POINTER:
		x->saved_left = x->left;
		return go_on(script_ack);
	case MSG_RESTORE_POINTERS:
		x->least_left = x->saved_left; /* the target disowns them */
		set_pointer(x, x->saved_left);
		return go_on(script_ack);
	case MSG_DISCONNECT:
		set_pointer(x, x->saved_left);
		return go_on(script_disconnect);
	case MSG_EXTENDED:
		return on_extended(x);
	case MSG_REJECT:
		/* IDENTIFY or an answer refused: go on without. Our own
		 * refusal refused: no common language.
		 */
		if (x->lsi->msg_out[0] == MSG_REJECT)
			return end(HBA_PROTOCOL);
		return go_on(script_ack);
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

/* The script says that the data move ran to its end: what is left? */
static u32 left_behind_move(const struct exec *x)
{
	bool counts = !x->data_ended && x->lsi->status[0] == NO_STATUS;

	return counts ? x->left - x->moving : x->left;
}

/* On to the next segment. Behind a status byte no more will come. */
static void note_data_done(struct exec *x)
{
	u32 left = left_behind_move(x);

	if ((x->lsi->status[0] & x->lsi->status[1]) != NO_STATUS)
		x->data_ended = true;
	set_pointer(x, left);
}

static enum hba_result complete(struct exec *x)
{
	struct lsi *lsi = x->lsi;
	struct hba_request *request = x->request;
	u32 left = x->least_left;

	request->status = lsi->status[0];
	if (lsi->status[1] != NO_STATUS) {
		u32 behind = left_behind_move(x);

		request->status = lsi->status[1];
		if (behind < left)
			left = behind;
	}
	/* COMMAND COMPLETE without a status: nothing was promised. */
	if (request->status == NO_STATUS)
		return HBA_BUS_FREE;
	request->moved = (u16)(request->data_bytes - left);
	request->overrun = x->drained;
	return HBA_OK;
}

/* Data behind the end of a segment goes to or comes from the next one. Data in
 * that was not asked for runs into the sink. Data out is never made up: it
 * could end on a disk. Other phases do not exist.
 */
static struct step on_bad_phase(struct exec *x)
{
	u8 phase = lsi_read8(x->lsi, LSI_SSTAT1) & SSTAT1_PHASE_MASK;

	if (x->left && !x->data_ended && phase == data_phase(x->request))
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
	case INT_SHORT:
		return move_cut(x, lsi_residual(x->lsi, false));
	default: /* INT_RESELECTED by a stranger, or a stray value */
		return end(HBA_PROTOCOL);
	}
}

static struct step act(struct exec *x, enum ending ending)
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

/* ---- The contract ----------------------------------------------------- */

/* Tell the target to forget the command: with ATN if it holds the bus, by a
 * new selection if it has gone away with it. True if it let go of the bus.
 */
static bool dismissed(struct exec *x, u8 message)
{
	struct lsi *lsi = x->lsi;
	u32 entry = SCRIPT_LABEL(script_dismiss);
	u8 bytes = 0;

	if (!lsi_abort(lsi))
		return false;
	forget_answers(lsi);
	(void)read_causes(lsi, lsi_read8(lsi, LSI_ISTAT)); /* stacked ones */
	lsi_clear_fifos(lsi);
	if (!(lsi_read8(lsi, LSI_ISTAT) & ISTAT_CON)) {
		entry = SCRIPT_LABEL(script_select_to_dismiss);
		lsi->msg_out[bytes++] = MSG_IDENTIFY | x->request->lun;
	}
	lsi->msg_out[bytes++] = message;
	*insn_byte(lsi, script_patch_dismiss, INSN_DATA) = bytes;
	clock_start(&x->clock, DISMISS_TIMEOUT_MS);
	return run(x, entry) == END_COMPLETE;
}

/* Leave chip and bus fit for the next command, with as little violence to the
 * other targets as will do.
 */
static void recover(struct exec *x, enum hba_result result)
{
	struct lsi *lsi = x->lsi;

	switch (result) {
	case HBA_OK:
	case HBA_NO_TARGET:
	case HBA_BUS_FREE:
		return; /* the bus is free and the chip has stopped */
	case HBA_TIMEOUT:
		if (dismissed(x, MSG_ABORT) ||
		    dismissed(x, MSG_BUS_DEVICE_RESET))
			return;
		/* fall through */
	case HBA_PROTOCOL:
		(void)lsi_abort(lsi); /* it may still be running */
		break;
	case HBA_BUS_RESET:
	case HBA_PARITY:
	case HBA_CHIP:
		break;
	}
	(void)lsi_reset(lsi); /* a failure is kept in lsi->unusable */
}

enum hba_result lsi_execute(struct hba *hba, struct hba_request *request)
{
	struct lsi *lsi = (struct lsi *)hba; /* hba is its first member */
	struct exec x;
	struct step step = go_on(script_start);

	prepare(&x, lsi, request);
	clock_start(&x.clock, request->timeout_ms);
	/* Between two commands somebody may have reset the bus, or a target
	 * that a former command knew may have come back.
	 */
	if ((lsi->unusable || lsi_read8(lsi, LSI_ISTAT) & ISTAT_NOT_IDLE) &&
	    lsi_reset(lsi) != HBA_OK)
		return HBA_CHIP;
	do {
		enum ending ending = run(&x, step.entry);
		if (ending == END_COMPLETE)
			return complete(&x); /* bus free, chip idle */
		step = act(&x, ending);
		if (!step.over && clock_expired(&x.clock))
			step = end(HBA_TIMEOUT);
	} while (!step.over);
	recover(&x, (enum hba_result)step.result);
	return (enum hba_result)step.result;
}

#define MOVED_AT(member, offset) \
	_Static_assert(offsetof(struct lsi, member) == (offset), \
		       "script.h and struct lsi must agree, or the chip moves data elsewhere")
MOVED_AT(msg_out, LSI_MSG_OUT);
MOVED_AT(status[0], LSI_STATUS_EARLY);
MOVED_AT(status[1], LSI_STATUS);
MOVED_AT(msg_in, LSI_MSG_IN);
MOVED_AT(msg_more, LSI_MSG_MORE);
MOVED_AT(sink, LSI_SINK);
