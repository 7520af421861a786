/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * INT 13h for CDs and the emulated drive: functions 4Ah to 4Dh. All others go to
 * the handlers that hard disks have. [El Torito 1.0 "INT 13 functions"; EDD-4]
 */
#include "functions.h"

#include "boot.h"
#include "catalog.h"
#include "int13/extra/emulated.h"
#include "int13/transfer.h"
#include "pc/far.h"
#include "pc/phys.h"

/* [El Torito 1.0 "Specification packet"; the device number as in EDD-4] */
struct packet {
	u8 bytes;
	u8 media;
	u8 number;
	u8 controller;
	u32 lba;
	u8 lun;
	u8 target;
	u16 buffer_segment; /* for a cache; not used, as we have our own */
	u16 load_segment;
	u16 count;
	u8 cylinders; /* CH of AH=08h: the last one */
	u8 sectors; /* CL of AH=08h */
	u8 heads; /* DH of AH=08h: the last one */
} __attribute__((packed));
_Static_assert(sizeof(struct packet) == 0x13, "the specification packet");

static bool read_packet(const struct int13_call *call, struct cd_boot *boot)
{
	const struct int13_frame *regs = call->regs;
	u32 at = far_open_range(regs->ds, (u16)regs->esi, sizeof(struct packet));

	if (regs->al || at == FAR_UNREACHABLE ||
	    FAR8(at) < sizeof(struct packet))
		return false;
	boot->number = FAR8(at + offsetof(struct packet, number));
	boot->stack = 0; /* the caller keeps its stack out of the way */
	boot->image = (struct boot_image){
		.lba = FAR32(at + offsetof(struct packet, lba)),
		.load_segment =
			FAR16(at + offsetof(struct packet, load_segment)),
		.count = FAR16(at + offsetof(struct packet, count)),
		.media = FAR8(at + offsetof(struct packet, media)),
	};
	return true;
}

/* INT 13, 4A - Initiate disk emulation
 *
 * In:  AL 0, DS:SI specification packet
 */
static NOT_INLINE enum int13_status cd_4a_emulate(const struct int13_call *call)
{
	struct int13_state *state = call->state;
	struct cd_boot boot;

	if (!read_packet(call, &boot) || !(boot.image.media & MEDIA_TYPE))
		return STATUS_BAD_COMMAND;
	if (state->emulated != NOT_EMULATED)
		return STATUS_IN_USE;
	enum cd_result result = cd_boot_check(call, &boot);
	if (result == CD_OK) {
		state->boot_image = boot.image;
		emulation_begin(state, boot.number);
	}
	return (enum int13_status)(result & CD_STATUS_MASK);
}

#define TERMINATE 0 /* AL of 4Bh; 1 only returns the packet */

/* The packet that 4Bh returns for call->disk. */
static struct packet specification(const struct int13_call *call)
{
	const struct int13_state *state = call->state;
	const struct boot_image *image = &state->boot_image;
	const struct disk *disk = call->disk;
	struct packet packet = {
		.bytes = sizeof(packet),
		.number = disk->number,
		.lun = disk->device.lun,
		.target = disk->device.target,
	};

	if (!image->exists || disk != &drive_table[image->disk])
		return packet;
	packet.media = image->media;
	packet.lba = image->lba;
	packet.load_segment = image->load_segment;
	packet.count = image->count;
	if (state->emulated != NOT_EMULATED)
		packet.number = state->emulated;
	if (image->geometry.heads) {
		packet.cylinders = (u8)(image->geometry.cylinders - 1);
		packet.sectors = geometry_cl(&image->geometry);
		packet.heads = (u8)(image->geometry.heads - 1);
	}
	return packet;
}

/* INT 13, 4B - Terminate disk emulation
 *
 * In:  AL 0 terminate, if the boot image is on this drive; 1 only return the
 *      packet; DS:SI buffer for a specification packet
 * Out: the packet of the boot image that was booted or is emulated
 */
static NOT_INLINE enum int13_status cd_4b_terminate(const struct int13_call *call)
{
	const struct int13_frame *regs = call->regs;
	struct packet packet = specification(call);
	u32 to = far_open_range(regs->ds, (u16)regs->esi, sizeof(packet));

	if (regs->al > 1 || to == FAR_UNREACHABLE)
		return STATUS_BAD_COMMAND;
	for (u32 i = 0; i < sizeof(packet); i++)
		FAR8(to + i) = ((const u8 *)&packet)[i];
	if (regs->al == TERMINATE &&
	    call->disk == &drive_table[call->state->boot_image.disk])
		emulation_end(call->state);
	return STATUS_OK;
}

/* INT 13, 4C - Initiate disk emulation and boot
 *
 * In:  AL 0, DS:SI specification packet
 * Out: does not return; the boot image starts with its drive number in DL
 */
static NOT_INLINE enum int13_status cd_4c_boot(const struct int13_call *call)
{
	struct int13_frame *regs = call->regs;
	struct cd_boot boot;

	if (!read_packet(call, &boot))
		return STATUS_BAD_COMMAND;
	enum cd_result result = cd_boot_image(call, &boot);
	if (result == CD_OK) {
		regs->dl = boot.number;
		regs->boot = boot.entry;
		regs->flags = FLAGS_IF;
	}
	return (enum int13_status)(result & CD_STATUS_MASK);
}

#define COMMAND_BYTES 8
#define COMMAND_COUNT 1	 /* byte: blocks */
#define COMMAND_BUFFER 2 /* dword: seg:off */
#define COMMAND_FIRST 6	 /* word: first block */

/* INT 13, 4D - Return boot catalog
 *
 * In:  AL 0, DS:SI command packet
 * Out: the catalog of the last session that has a boot record, or the first
 */
static NOT_INLINE enum int13_status cd_4d_catalog(const struct int13_call *call)
{
	const struct int13_frame *regs = call->regs;
	u32 at = far_open_range(regs->ds, (u16)regs->esi, COMMAND_BYTES);
	u32 lba, session;

	if (regs->al || at == FAR_UNREACHABLE || FAR8(at) < COMMAND_BYTES)
		return STATUS_BAD_COMMAND;
	u32 buffer = linear_of(FAR16(at + COMMAND_BUFFER + 2),
			       FAR16(at + COMMAND_BUFFER));
	struct int13_job job;

	job.lba = FAR16(at + COMMAND_FIRST);
	job.count = FAR8(at + COMMAND_COUNT);
	job.action = DISK_READ;
	int13_job_set_buffer(&job, buffer);
	enum int13_status status = int13_ensure_size(call);
	if (status != STATUS_OK)
		return status;
	session = catalog_last_session(call);
	enum cd_result result = catalog_find(call, session, &lba);
	if (result == CD_NO_BOOT_RECORD && session)
		result = catalog_find(call, 0, &lba);
	if (result != CD_OK)
		return (enum int13_status)(result & CD_STATUS_MASK);
	job.lba += lba;
	return job.count ? int13_transfer(call, &job) : STATUS_OK;
}

/* ---- Dispatcher ------------------------------------------------------------ */

#define FUNCTIONS_BEGIN 0x4a

#define GET_DISK_TYPE 0x15
#define TYPE_FLOPPY 0x02 /* AH returned by 15h: a floppy with a change line */

#define MOST_FUNCTIONS 4

/* 41h to 48h: a floppy has none of them */
#define EXTENSIONS_BEGIN 0x41
#define EXTENSIONS 8

int13_handler cd_function, in_cd_function;

/* All functions of El Torito, for int13_serve_call(): the gate to cd_function() */
ROM_CONST struct int13_function el_torito = {.handler = in_cd_function};

enum int13_status cd_function(const struct int13_call *call)
{
	switch (call->regs->ah - FUNCTIONS_BEGIN) {
	case 0:
		return cd_4a_emulate(call);
	case 1:
		return cd_4b_terminate(call);
	case 2:
		return cd_4c_boot(call);
	default:
		return cd_4d_catalog(call);
	}
}

void cd_dispatch(struct int13_frame *regs, struct int13_state *state)
{
	struct disk *cd = state->for_emulated
				  ? &drive_table[state->boot_image.disk]
				  : drives_find(state, regs->dl);
	struct disk view; /* the emulated drive; shares the CD's state */
	struct int13_call call = {
		.state = state,
		.regs = regs,
		.disk = cd,
		.status_byte = BDA_DISK_STATUS,
	};

	if (state->for_emulated && state->emulated < FIRST_HARD_DISK)
		call.status_byte = BDA_FLOPPY_STATUS;
	if ((u8)(regs->ah - FUNCTIONS_BEGIN) < MOST_FUNCTIONS) {
		/* These address the CD by its own number or the emulated one. */
		int13_serve_call(&call, &el_torito);
		state->buffer_block = NO_BLOCK; /* may be of another CD */
		return;
	}
	if (state->for_emulated)
		call.disk = emulation_view(state, &view);
	bool get_type = regs->ah == GET_DISK_TYPE;
	bool refused = call.disk->flags & DISK_FLOPPY &&
		       (u8)(regs->ah - EXTENSIONS_BEGIN) < EXTENSIONS;
	int13_serve_call(&call,
			 refused ? NULL : int13_find_function(regs->ah));
	if (get_type && !(regs->flags & FLAGS_CF) &&
	    call.disk->flags & DISK_FLOPPY)
		regs->ah = TYPE_FLOPPY;
	if (call.disk != cd) {
		cd->flags = (cd->flags & DISK_KIND) |
			    (view.flags & (u8)~DISK_KIND);
		cd->locks = view.locks;
	}
}
