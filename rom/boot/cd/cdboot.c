/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Boots a CD: gives our CDs drive numbers, reads the disc, and lets the user
 * choose a boot image. [BBS 1.01 "BEV"; El Torito 1.0]
 */
#include "cdboot.h"

#include "int13/cd/boot.h"
#include "int13/cd/catalog.h"
#include "int13/extra/emulated.h"
#include "pc/bda.h"
#include "pc/bios.h"
#include "pc/clock.h"
#include "pc/console.h"
#include "pc/vds.h"
#include "rom/boot/connect.h"

#define FIRST_CD 0xe0
#define LAST_CD 0xfe
#define MOST_BIOS_CDS 15
#define SPIN_UP_PATIENCE CDB_PATIENCE(30000)

extern const char rom_int13_cd[]; /* cd_entry.S */

/* This code may have a segment of its own. */
static u32 door(void)
{
	return (u32)rom_segment() << 16 | (u32)rom_int13_cd;
}

/* ---- Drive numbers --------------------------------------------------------- */

/* Does another handler have a drive with that number? */
static bool number_in_use(u32 number)
{
	struct bios_regs regs = {
		.eax = 0x4100, .ebx = 0x55aa, .edx = number};

	bios_call(0x13, &regs);
	return !(regs.flags & FLAGS_CF) && (u16)regs.ebx == 0xaa55;
}

/* Assign numbers to all our CDs. They have numbers already if the system of
 * another CD was booted and gave up by INT 18h.
 */
static void connect_cds(struct int13_state *state)
{
	u8 number = FIRST_CD;

	emulation_end(state);
	if (state->cd_count)
		return;
	while (number < FIRST_CD + MOST_BIOS_CDS && number_in_use(number))
		number++;
	state->cd_first = number;
	for (u32 i = 0; i < state->disks; i++)
		if (drive_table[i].flags & DISK_CD && number <= LAST_CD)
			drive_table[i].number = number++;
	state->cd_count = (u8)(number - state->cd_first);
	state->previous_cd = connect_hook(IVT_INT13, door());
}

void cdboot_disconnect(void)
{
	struct int13_state *state = &workspace.int13;

	emulation_end(state);
	if (state->cd_count &&
	    connect_unhook(IVT_INT13, door(), state->previous_cd))
		state->cd_count = 0;
}

/* ---- Menu ------------------------------------------------------------------ */

#define NAME_BYTES 28
#define FIRST_PRINTABLE ' '
#define LAST_PRINTABLE '~'

static void print_name(u32 header)
{
	for (u32 i = 0; i < NAME_BYTES; i++) {
		far_open(workspace.int13.buffer_segment); /* INT 10h moves FS */
		char c = (char)FAR8(header + ENTRY_NAME + i);
		if (!c)
			break;
		console_char(c >= FIRST_PRINTABLE && c <= LAST_PRINTABLE ? c
									 : '?');
	}
}

/* The key pressed, or 0 if none is within workspace.choice_seconds. */
static char wait_for_key(void)
{
	struct clock clock;
	struct bios_regs regs;

	clock_start(&clock, workspace.choice_seconds * 1000u);
	do {
		regs.eax = INT16_CHECK;
		bios_call(0x16, &regs);
		if (!(regs.flags & FLAGS_ZF)) {
			regs.eax = INT16_READ;
			bios_call(0x16, &regs);
			return (char)regs.eax;
		}
	} while (!clock_expired(&clock));
	return 0;
}

static enum cd_result print_choices(const struct int13_call *call,
				       const struct catalog *catalog)
{
	struct catalog_place place = {.lba = catalog->lba};

	for (u32 i = 0; i < catalog->boot_images; i++) {
		place.number = catalog->header[i];
		enum int13_status status = catalog_open(call, &place);
		if (status != STATUS_OK)
			return (enum cd_result)status;
		console_rom(ROM_STRING("  "));
		console_decimal(i + 1);
		console_char(' ');
		if (place.number)
			print_name(place.at);
		else
			console_rom(ROM_STRING("default entry"));
		console_newline();
	}
	return CD_OK;
}

/* The index of the boot image to boot; the first unless a key selects one. */
static u32 read_choice(u32 boot_images)
{
	console_rom(ROM_STRING("  Boot entry (1-"));
	console_decimal(boot_images);
	console_rom(ROM_STRING(")? "));
	u32 choice = (u8)wait_for_key() - (u32)'1';
	if (choice >= boot_images)
		choice = 0;
	console_decimal(choice + 1);
	console_newline();
	return choice;
}

/* ---- Boot ------------------------------------------------------------------ */

static enum cd_result choose_boot_image(const struct int13_call *call,
					u32 session, struct cd_boot *boot)
{
	struct catalog catalog;
	struct catalog_place place;
	u32 lba, choice = 0;
	enum cd_result result = catalog_find(call, session, &lba);

	if (result == CD_OK)
		result = catalog_read(call, lba, &catalog);
	if (result == CD_OK && catalog.boot_images > 1 &&
	    workspace.choice_seconds) {
		result = print_choices(call, &catalog);
		if (result == CD_OK)
			choice = read_choice(catalog.boot_images);
	}
	if (result != CD_OK)
		return result;
	place.lba = lba;
	place.number = catalog.entry[choice];
	enum int13_status status = catalog_open(call, &place);
	if (status != STATUS_OK)
		return (enum cd_result)status;
	boot->image = (struct boot_image){
		.lba = FAR32(place.at + ENTRY_LBA),
		.load_segment = FAR16(place.at + ENTRY_SEGMENT),
		.count = FAR16(place.at + ENTRY_COUNT),
		.media = FAR8(place.at + ENTRY_MEDIA),
	};
	boot->stack = linear_of(workspace.caller_ss, (u16)workspace.caller_esp);
	boot->number = (boot->image.media & MEDIA_TYPE) == MEDIA_HARD_DISK
			       ? FIRST_HARD_DISK
			       : 0;
	return CD_OK;
}

static enum int13_status measure_anew(const struct int13_call *call)
{
	call->disk->flags |= DISK_UNKNOWN;
	return int13_ensure_size(call);
}

/* Measure the disc that is in the drive now; it may not be the one of POST. Before the
 * sessions, so that the drive has its block size; after them, as a drive that fails
 * there may have been reset.
 */
static enum int13_status measure_disc(const struct int13_call *call,
				      u32 *session)
{
	struct scsi_bus *bus = &call->state->bus;
	struct disk *cd = call->disk;

	if (vds_in_v86_mode())
		return STATUS_CONTROLLER; /* nothing can boot there */
	bus->stop_at_change = false;
	scsi_begin_call(bus);
	enum int13_status status = int13_status_of(
		call, disk_simple(bus, &cd->device,
				  CDB_TEST_UNIT_READY | SPIN_UP_PATIENCE));
	bus->waited = 0;
	if (status == STATUS_OK)
		status = measure_anew(call);
	if (status == STATUS_OK) {
		*session = catalog_last_session(call);
		status = measure_anew(call);
	}
	if (status == STATUS_OK)
		cd->flags &= (u8)~DISK_NEW_MEDIUM;
	bus->stop_at_change = true;
	return status;
}

/* Load what boots: from the last session, or else from the first. If the disc is
 * changed meanwhile, nothing does.
 */
static enum cd_result load_boot_image(const struct int13_call *call,
				      u32 session, struct cd_boot *boot)
{
	for (;;) {
		enum cd_result result = choose_boot_image(call, session, boot);

		if (result == CD_OK)
			result = cd_boot_image(call, boot);
		if (result == CD_OK || !session ||
		    call->disk->flags & DISK_UNREPORTED)
			return result;
		session = 0;
	}
}

/* In the order of enum cd_result, each with a zero at its end */
ROM_CONST char reasons[] = "no boot record\0"
			   "boot catalog damaged\0"
			   "wrong catalog checksum\0"
			   "no boot entry for this PC\0"
			   "unknown media type\0"
			   "image beyond the end of the disc\0"
			   "nothing to load\0"
			   "no room at its load address\0"
			   "no partition";

static void print_reason(enum cd_result result)
{
	u32 reason = (u32)result >> CD_REASON_SHIFT;
	char IN_ROM *words = reasons;

	console_rom(ROM_STRING("  not bootable: "));
	if (reason) {
		while (--reason)
			while (*words++)
				;
		console_rom(words);
	} else if ((u32)result == STATUS_NO_MEDIUM) {
		console_rom(ROM_STRING("no medium"));
	} else {
		console_rom(ROM_STRING("status "));
		console_hex8((u8)result);
		console_char('h');
	}
	console_newline();
}

/* ---- Memory ---------------------------------------------------------------- */

#define PARAGRAPHS_PER_KIB 64

/* Without PMM there is no block buffer yet. Take it from conventional memory; the
 * slack of init is used for it if nothing else lies there now. Returns the size of
 * conventional memory before, 0 if there is a buffer.
 */
static u16 take_buffer(struct int13_state *state)
{
	if (state->buffer_segment)
		return 0;
	bda_open();
	u16 before = FAR16(BDA_MEMORY_KIB);
	u16 top = (u16)(before - CD_BUFFER_KIB);
	if (before == workspace.lowest_kib)
		top = (u16)(top + SLACK_KIB);
	FAR16(BDA_MEMORY_KIB) = top;
	state->buffer_segment = (u16)(top * PARAGRAPHS_PER_KIB);
	state->buffer_address = linear_of(state->buffer_segment, 0);
	state->buffer_bytes = CD_BUFFER_KIB * 1024;
	return before;
}

static void give_buffer_back(struct int13_state *state, u16 before)
{
	bda_open();
	FAR16(BDA_MEMORY_KIB) = before;
	state->buffer_segment = 0;
	state->buffer_bytes = 0;
}

u32 cdboot_boot(u32 slot)
{
	struct int13_state *state = &workspace.int13;
	struct int13_call call = {.state = state, .disk = &drive_table[slot]};
	struct cd_boot boot;
	u32 session = 0;
	bool connected = state->cd_count;
	u16 before = take_buffer(state);

	connect_cds(state);
	enum cd_result result = (enum cd_result)measure_disc(&call, &session);
	connect_print_drive(slot);
	if (result == CD_OK)
		result = load_boot_image(&call, session, &boot);
	if (result != CD_OK) {
		print_reason(result);
		if (before)
			give_buffer_back(state, before);
		if (!connected)
			cdboot_disconnect();
		return 0;
	}
	workspace.boot_drive = boot.number;
	return boot.entry;
}
