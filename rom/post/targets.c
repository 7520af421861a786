/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The first pass over the SCSI IDs. What it finds lies in the memory of POST, so that
 * no command is sent twice.
 */
#include "targets.h"

#include "keys.h"
#include "pc/console.h"
#include "rom/workspace.h"
#include "state.h"
#include "waiting.h"

struct target {
	bool known;
	enum scsi_result result; /* of INQUIRY */
	struct scsi_inquiry inquiry;
	bool ready;
};

static struct target __seg_gs targets[16]
	__attribute__((section(".post_memory")));

static struct scsi_bus *bus(void)
{
	return &workspace.int13.bus;
}

void targets_take_key(void)
{
	if (post.bios != PNP_CALLS_ENTRIES && keys_take('C'))
		post.cd_first = true;
}

/* Seen: QEMU accepts a disk with the controller's ID. */
bool targets_is_own(u8 id)
{
	return id == bus()->hba->own_id && !post.fwcfg;
}

enum scsi_result targets_inquiry(struct scsi_device device,
				 struct scsi_inquiry *inquiry, bool *ready)
{
	struct target __seg_gs *target = &targets[device.target];

	scsi_begin_call(bus());
	waiting_for_unit();
	*ready = false;
	if (device.lun || !target->known)
		return scan_inquiry(bus(), &device, inquiry);
	*inquiry = target->inquiry;
	*ready = target->ready;
	return target->result;
}

void targets_identify(void)
{
	const struct hba *hba = bus()->hba;
	u32 hung = 0;

	for (u8 id = 0; id < ARRAY_SIZE(targets); id++)
		targets[id].known = false;
	for (u8 id = 0; id <= hba->last_id && hung < 2 && !waiting_pass_is_over();
	     id++) {
		struct target __seg_gs *target = &targets[id];
		struct scsi_device device = {.target = id};
		struct scsi_inquiry inquiry;
		bool ready;

		targets_take_key();
		if (targets_is_own(id))
			continue;
		target->result = targets_inquiry(device, &inquiry, &ready);
		target->inquiry = inquiry;
		target->ready = target->result == SCSI_OK &&
				targets_is_drive(&inquiry) &&
				scan_start(bus(), &device);
		target->known = true;
		hung = targets_hangs(target->result) ? hung + 1 : 0;
	}
	waiting_spin_up();
}

void targets_name_skipped(u8 id)
{
	if (workspace.quiet)
		return;
	console_newline();
	console_rom(ROM_STRING("  no progress for a minute, skipped ID"));
	for (; id <= bus()->hba->last_id; id++) {
		if (targets_is_own(id) || (targets[id].known &&
				   targets[id].result == SCSI_NO_TARGET))
			continue;
		console_char(' ');
		console_decimal(id);
	}
}
