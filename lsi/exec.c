/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The contract of scsi/hba.h: does one command to its end, and recovers from
 * a failed one. The layers below are events.c and program.c; post/script.S is
 * the program.
 */
#include "dismiss.h"
#include "events.h"

/* Seen: QEMU does not stop at ABRT while it waits for data of a disk, of which it reads
 * 128 KiB at a time. That data goes to wherever the next program points. Its ISTAT never
 * shows a connection.
 */
static bool waits_for_data(struct lsi *lsi)
{
	return LONG_COMMANDS && lsi_read8(lsi, LSI_SCNTL1) & SCNTL1_CON &&
	       !(lsi_read8(lsi, LSI_ISTAT) & ISTAT_CON);
}

/* Send the target a message that ends its command: by ATN if it is connected,
 * after a new selection if it has disconnected. True if the bus is free then.
 */
static bool dismissed(struct exec *x, u8 message)
{
	struct lsi *lsi = x->lsi;

	if (!lsi_abort(lsi) || waits_for_data(lsi))
		return false;
	bool leaves = lsi->moved.msg_in == MSG_DISCONNECT;
	program_clear_answers(lsi);
	(void)lsi_read_causes(lsi, lsi_read8(lsi, LSI_ISTAT)); /* stacked ones */
	lsi_clear_fifos(lsi);
	u8 istat = lsi_read8(lsi, LSI_ISTAT);
	while (dismiss(x, message, istat) == END_COMPLETE) {
		if (!leaves || !(istat & ISTAT_CON))
			return true;
		istat = 0; /* it may have left without the message */
	}
	return false;
}

/* Make chip and bus ready for the next command. A bus reset affects all
 * targets, so it is the last resort.
 */
static void recover(struct exec *x, enum hba_result result)
{
	switch (result) {
	case HBA_OK:
	case HBA_NO_TARGET:
	case HBA_BUS_FREE:
		return; /* the bus is free and the chip has stopped */
	case HBA_TIMEOUT:
		if (dismissed(x, MSG_ABORT) ||
		    dismissed(x, MSG_BUS_DEVICE_RESET))
			return;
		break;
	case HBA_PROTOCOL:
	case HBA_BUS_RESET:
	case HBA_PARITY:
	case HBA_CHIP:
		break;
	}
	(void)lsi_reset(x->lsi); /* after a failure, ISTAT is not ISTAT_OURS */
}

/* Continue the command from a stop other than END_COMPLETE to its end. */
static NOT_INLINE enum hba_result finish_command(struct exec *x,
						 enum ending ending)
{
	struct lsi *lsi = x->lsi;

	x->resends = RESENDS;
	x->command_cut = false;
	/* The messages after the selection may have to be sent again. */
	*program_byte(lsi, script_patch_reply, INSN_DATA) =
		*program_message_bytes(lsi);
	do {
		struct step step = events_act(x, ending);

		if (!step.over && clock_expired(&x->clock))
			step = (struct step){.over = true, .result = HBA_TIMEOUT};
		if (step.over) {
			recover(x, (enum hba_result)step.result);
			/* A target may not endure an offer: not with the next try. */
			if (x->offered && step.result != HBA_NO_TARGET)
				lsi->hba.doubtful &= ~(1u << x->request->target);
			return (enum hba_result)step.result;
		}
		ending = program_run(x, (enum script_label)step.entry);
	} while (ending != END_COMPLETE);
	return events_complete(x); /* bus free, chip idle */
}

/* If the target may be wide or synchronous, offer it WDTR after IDENTIFY: it ends
 * both. on_reject() continues if the target does not implement WDTR.
 */
static NOT_INLINE void agree(struct exec *x)
{
	struct lsi *lsi = x->lsi;
	u8 *out = lsi->moved.msg_out; /* [0] is IDENTIFY */

	if (!(lsi->hba.doubtful & 1u << x->request->target))
		return;
	lsi_set_registers(lsi);
	x->offered = EXTENDED_WDTR;
	out[1] = MSG_EXTENDED;
	out[2] = WDTR_BYTES - 2;
	out[3] = EXTENDED_WDTR;
	out[4] = 0; /* 8 bits */
	*program_message_bytes(lsi) = 1 + WDTR_BYTES;
}

enum hba_result lsi_execute(struct hba *hba, struct hba_request *request)
{
	struct lsi *lsi = (struct lsi *)hba; /* hba is its first member */
	struct exec x;

	program_begin(&x, lsi, request);
	clock_start(&x.clock, request->timeout_ms);
	/* Another driver may have used the chip, the bus may have been reset, or
	 * a target that an earlier command selected may have reselected us.
	 */
	if (lsi_read8(lsi, LSI_ISTAT) != ISTAT_OURS) {
		enum hba_result result = lsi_reset(lsi);
		return result == HBA_OK ? HBA_BUS_RESET : result;
	}
	if (lsi->hba.doubtful) {
		if (!request->cdb_bytes)
			return HBA_OK;
		agree(&x);
	}
	enum ending ending = program_run(&x, script_start);
	if (ending == END_COMPLETE)
		return events_complete(&x);
	return finish_command(&x, ending);
}
