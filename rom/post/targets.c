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
#include "settings.h"
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
	if (post.offers_setup && (keys_take('S') || keys_take(KEY_CTRL_C)))
		post.setup_wanted = true;
}

u8 targets_id(u32 n)
{
	return (u8)(settings.card.flags1 & SYMBIOS_SCAN_DOWN
			    ? bus()->hba->last_id - n
			    : n);
}

/* Seen: QEMU accepts a disk with the controller's ID. */
bool targets_is_left_out(u8 id)
{
	return (id == bus()->hba->own_id && !post.fwcfg) ||
	       !(settings.card.targets[id].flags & TARGET_SCANNED);
}

bool targets_is_drive(const struct scsi_inquiry *inquiry)
{
	if (targets_is_cd(inquiry))
		return true;
	return inquiry->type == INQUIRY_TYPE_DISK &&
	       !(inquiry->removable & INQUIRY_REMOVABLE &&
		 settings.card.removable == SYMBIOS_REMOVABLE_NONE);
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

/* Start a unit, some time after the one before: together they may take more power than
 * there is.
 */
static void start(const struct scsi_device *device, bool *started)
{
	if (*started)
		waiting_pause(settings.own.spin_up_delay);
	*started = true;
	scan_start(bus(), device);
}

void targets_identify(void)
{
	u32 hung = 0, last_id = bus()->hba->last_id;
	bool started = false;

	for (u32 id = 0; id < ARRAY_SIZE(targets); id++)
		targets[id].known = false;
	for (u32 n = 0; n <= last_id && hung < 2 && !waiting_pass_is_over(); n++) {
		struct scsi_device device = {.target = targets_id(n)};
		struct target __seg_gs *target = &targets[device.target];
		struct scsi_inquiry inquiry;
		bool ready, stopped = false;

		targets_take_key();
		if (targets_is_left_out(device.target))
			continue;
		target->result = targets_inquiry(device, &inquiry, &ready);
		target->inquiry = inquiry;
		target->ready = target->result == SCSI_OK &&
				targets_is_drive(&inquiry) &&
				scan_is_ready(bus(), &device, &stopped);
		if (stopped)
			start(&device, &started);
		target->known = true;
		hung = targets_hangs(target->result) ? hung + 1 : 0;
	}
	waiting_spin_up();
}

bool targets_has(u8 id)
{
	return targets[id].known && targets[id].result != SCSI_NO_TARGET;
}

void targets_data(u8 id, struct scsi_inquiry *inquiry)
{
	*inquiry = targets[id].inquiry;
}

void targets_name_skipped(u32 n)
{
	if (workspace.quiet)
		return;
	console_newline();
	console_rom(ROM_STRING("  no progress for a minute, skipped ID"));
	for (; n <= bus()->hba->last_id; n++) {
		u8 id = targets_id(n);

		if (targets_is_left_out(id) ||
		    (targets[id].known && targets[id].result == SCSI_NO_TARGET))
			continue;
		console_char(' ');
		console_decimal(id);
	}
}
