/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Sets the program, runs it, and classifies why it stopped. Its source is
 * post/script.S. [8xx-TM "SCSI SCRIPTS instruction set", "Stacked interrupts"]
 */
#include "program.h"

#include "pc/phys.h"

/* Codes of instructions, without a phase in their low bits */
#define CODE_MOVE 0x08
#define CODE_JUMP_IF 0x80
#define NO_MOVE_BITS 0xc0000000u /* of the first dword; 0 in block moves only */

/* The data test comes after a test for MSG IN, so with this phase it never
 * matches.
 */
#define NO_DATA_PHASE PHASE_MSG_IN

/* Longest data move. The count has 24 bits, but bits 23:16 of the number of
 * bytes left must differ from LSI_DBC_HIGH (post/script.S).
 */
#define MOST_MOVE_BYTES 0x200000u
_Static_assert(MOST_MOVE_BYTES < (u32)LSI_DBC_HIGH << 16,
	       "bits 23:16 of a residual must differ from LSI_DBC_HIGH");
_Static_assert(script_bytes == SCRIPT_DWORDS * 4,
	       "SCRIPT_DWORDS must be the length of the program");

#define MOVED_AT(member, offset)                                    \
	_Static_assert(offsetof(struct lsi_moved, member) == (offset), \
		       "script.h and struct lsi_moved must agree, or the chip moves data elsewhere")
MOVED_AT(msg_out, LSI_MSG_OUT);
MOVED_AT(status[0], LSI_STATUS_EARLY);
MOVED_AT(status[1], LSI_STATUS);
MOVED_AT(msg_in, LSI_MSG_IN);
MOVED_AT(msg_more, LSI_MSG_MORE);
MOVED_AT(sink, LSI_SINK);

static u32 *insn(struct lsi *lsi, enum script_label label)
{
	return &lsi->script[label / 4];
}

/* Set the data move and the test for its phase. A block move of 0 bytes is
 * illegal; with 0 bytes, the program accepts no data phase instead.
 */
static void set_move(struct exec *x, u32 address, u32 bytes)
{
	struct lsi *lsi = x->lsi;
	u8 phase = NO_DATA_PHASE;

	if (bytes) {
		u32 *move = insn(lsi, script_patch_data_move);

		if (bytes > MOST_MOVE_BYTES)
			bytes = MOST_MOVE_BYTES;
		phase = program_data_phase(x->request);
		move[0] = (u32)(CODE_MOVE | phase) << 24 | bytes;
		move[1] = address;
	}
	x->moving = bytes;
	*program_byte(lsi, script_patch_data_test, INSN_CODE) =
		CODE_JUMP_IF | phase;
}

static u32 least(u32 a, u32 b)
{
	return a < b ? a : b;
}

/* The data move begins at the pointer and ends with the part of
 * x->request->data or ->more that contains it.
 */
void program_set_pointer(struct exec *x, u32 left)
{
	const struct phys_range *segment = &x->request->data;
	const struct phys_range *next = x->request->more;
	u32 done = x->request->data_bytes - left;

	x->left = left;
	if (!left || x->data_ended) {
		set_move(x, 0, 0);
		return;
	}
	for (; done >= segment->bytes; segment = next++)
		done -= segment->bytes;
	set_move(x, segment->address + done, least(segment->bytes - done, left));
}

/* Add `way` to the addresses of all moves in the program. */
static NOT_INLINE void place_moves(struct lsi *lsi, u32 way)
{
	lsi->place += way;
	for (u32 i = 0; i < SCRIPT_DWORDS; i += 2)
		if (!(lsi->script[i] & NO_MOVE_BITS))
			lsi->script[i + 1] += way;
}

void program_clear_answers(struct lsi *lsi)
{
	lsi->moved.status[0] = NO_SCSI_STATUS;
	lsi->moved.status[1] = NO_SCSI_STATUS;
	lsi->moved.msg_in = MSG_NO_OPERATION;
	lsi->moved.msg_more = MSG_NO_OPERATION;
}

void program_begin(struct exec *x, struct lsi *lsi,
		   struct hba_request *request)
{
	u32 place = phys_of(&lsi->moved);

	/* The bus address can differ from call to call. */
	if (place != lsi->place)
		place_moves(lsi, place - lsi->place);
	program_clear_answers(lsi);
	u8 target = request->target;
	*program_byte(lsi, script_patch_select, INSN_ID) = target;
	*program_byte(lsi, script_patch_target, INSN_DATA) = target;
	u8 identify = lsi->identify[target] | request->lun;
	*program_byte(lsi, script_patch_identify, INSN_DATA) = identify;
	lsi->moved.msg_out[0] = identify;
	*program_message_bytes(lsi) = 1;
	*program_byte(lsi, script_patch_command, INSN_DATA) =
		request->cdb_bytes;
	insn(lsi, script_patch_command)[1] = phys_of(request->cdb);

	x->lsi = lsi;
	x->request = request;
	x->data_ended = false;
	x->drained = false;
	x->offered = 0;
	x->left = x->saved_left = x->left_after = request->data_bytes;
	if (request->data_bytes <= request->data.bytes)
		set_move(x, request->data.address, request->data_bytes);
	else
		program_set_pointer(x, request->data_bytes);
}

/* Wait until the program has stopped. Returns ISTAT_SIP and ISTAT_DIP, or 0
 * if the time limit has expired. While the program runs, only memory and
 * ISTAT may be read.
 */
static u8 wait_istat(struct exec *x, struct lsi *lsi)
{
	volatile u8 *msg_in = &lsi->moved.msg_in;

	for (;;) {
		for (u32 i = lsi->spins; i && *msg_in != MSG_COMMAND_COMPLETE;
		     i--)
			cpu_pause();
		u8 istat = lsi_read8(lsi, LSI_ISTAT) & ISTAT_PENDING;
		if (istat)
			return istat;
		if (clock_expired(&x->clock))
			return 0;
	}
}

#define CAUSE_DSTAT_FATAL \
	CAUSE_DSTAT(DSTAT_MDPE | DSTAT_BF | DSTAT_ABRT | DSTAT_IID)

struct cause_row {
	u32 causes;
	u8 ending;
};

/* The first row that matches decides: causes that make others meaningless
 * come first. If an INT follows MA, the INT decides.
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

void program_clear_leftovers(struct exec *x)
{
	if (!(x->causes & CAUSE_DSTAT(DSTAT_DFE)))
		lsi_clear_fifos(x->lsi);
}

/* The program stopped at an INT instruction. Seen: QEMU before 7.2.11 raises
 * a phase mismatch but continues the program, so that both causes are
 * pending. After a data move it continues to INT_SHORT, which has the same
 * meaning. After WAIT RESELECT (on a read error) it continues to
 * INT_RESELECTED, which then has no meaning.
 */
static enum ending int_ending(struct exec *x)
{
	x->code = lsi_read32(x->lsi, LSI_DSPS);
	program_clear_leftovers(x);
	if (x->code == INT_COMPLETE)
		return END_COMPLETE;
	return x->causes & SIST_MA && x->code == INT_RESELECTED ? END_MISMATCH
								 : END_INT;
}

/* Classify any stop but the usual one. `dstat`: causes already read from
 * DSTAT.
 */
static NOT_INLINE enum ending unusual_end(struct exec *x, u8 istat, u8 dstat)
{
	struct lsi *lsi = x->lsi;

	x->causes = CAUSE_DSTAT(dstat) | lsi_read_causes(lsi, istat);
	enum ending ending = classify(x->causes);
	if (ending == END_INT)
		return int_ending(x);
	if (ending == END_NO_TARGET || ending == END_BUS_FREE) {
		lsi_clear_fifos(lsi);
		/* An activity LED is still on. */
		lsi_write8(lsi, LSI_GPREG, lsi->kept[KEPT_GPREG]);
	}
	return ending;
}

enum ending program_run(struct exec *x, enum script_label entry)
{
	struct lsi *lsi = x->lsi;
	u8 dstat = 0;

	lsi_write32(lsi, LSI_DSP, phys_of(lsi->script) + entry);
	u8 istat = wait_istat(x, lsi);
	if (istat == ISTAT_DIP && lsi->moved.msg_in == MSG_COMMAND_COMPLETE) {
		/* Only one INT can follow this message. A later cause belongs to
		 * the next command, which reads it.
		 */
		dstat = lsi_read8(lsi, LSI_DSTAT);
		if (dstat == (DSTAT_SIR | DSTAT_DFE))
			return END_COMPLETE;
		istat = lsi_read8(lsi, LSI_ISTAT);
	} else if (!istat) {
		return END_TIMEOUT;
	}
	return unusual_end(x, istat, dstat);
}
