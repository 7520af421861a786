/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The tables of pages and words, and the access to values.
 */
#include "rows.h"

#include "screen.h"

#define AT(member) offsetof(struct adapter, member)
#define CARD(member) AT(settings.card.member)
#define OWN(member) AT(settings.own.member)
#define TARGET(member) AT(settings.card.targets[0].member)
#define BYTE 0x00ff
#define WORD 0xffff

/* The words for values, each list from its number below on; or none */
#define WORDS_SECONDS 0xff
#define WORDS_NUMBER 0xfe
#define WORDS_ID 0xfd /* a number: the ID of the controller */
#define WORDS_NO_YES 0
#define WORDS_YES_NO 1
#define WORDS_ORDER 3
#define WORDS_REMOVABLE 5
#define WORDS_GEOMETRY 8
#define WORDS_WIDTH 9 /* values 1 and 2 */
#define WORDS_FIRST 12
#define WORDS_CHIP 17 /* enum nvram_chip; a 24C16 has words for its source instead */
#define WORDS_SOURCE 21 /* enum settings_source */
#define WORDS_RESULT 26 /* enum nvram_result */
#define WORDS_RATE 30

ROM_CONST char words[] =
	"no\0yes\0no\0"
	"upwards\0downwards\0"
	"none\0boot drive\0all\0"
	"SCSI CAM\0usual\0"
	"8 bits\0""16 bits\0"
	"no\0""1st\0""2nd\0""3rd\0""4th\0"
	"none\0\0Tekram\0stuck\0"
	"blank\0yes\0invalid\0\0ignored\0"
	"\0NOT SAVED: no answer\0NOT SAVED: stays busy\0NOT SAVED: reads back wrong\0"
	"0\0""5\0""10\0""20\0""40\0""80";

/* struct symbios_target, `period`: for each rate from 5 MT/s on */
ROM_CONST u8 periods[] = {200, 100, 48, 40, 36};
#define PERIOD_UNIT 4

ROM_CONST char controllers_text[] =
	"controllers\0+ -: boot order\0"
	"All controllers\0Shared settings";
ROM_CONST struct row controllers_rows[] = {
	{ROW_DOES, {PAGE_ALL}, 0, 0, 0},
};

ROM_CONST char controller_text[] =
	"\0\0"
	"Devices\0Their settings\0"
	"Boots\0No: left alone by this ROM\0"
	"Host ID\0Of this controller\0"
	"Parity\0No: no disconnects, either\0"
	"Scan order\0Order of IDs and drives\0"
	"Removable disks\0Served as drives\0"
	"Geometry\0CHS of disks without partitions\0"
	"Spin-up delay\0Between two starts\0"
	"Scan delay\0Before the scan\0"
	"Avoid bus resets\0Yes: only if a device hangs\0"
	"Defaults\0Devices, too";
ROM_CONST struct row controller_rows[] = {
	{ROW_DOES, {PAGE_DEVICES}, 0, 0, 0},
	{ROW_TOUCHES, {WORDS_NO_YES}, AT(host.flags), SYMBIOS_HOST_BOOTS, 1},
	{ROW_ID, {WORDS_ID}, CARD(host_id), BYTE, 15},
	{ROW_PARITY, {WORDS_NO_YES}, CARD(flags), SYMBIOS_PARITY, 1},
	{ROW_FIELD, {WORDS_ORDER}, CARD(flags1), SYMBIOS_SCAN_DOWN, 1},
	{ROW_FIELD, {WORDS_REMOVABLE}, CARD(removable), WORD, 2},
	{ROW_FIELD, {WORDS_GEOMETRY}, CARD(flags), SYMBIOS_CHS_ALTERNATE, 1},
	{ROW_FIELD, {WORDS_SECONDS}, OWN(spin_up_delay), BYTE, 15},
	{ROW_FIELD, {WORDS_SECONDS}, OWN(scan_delay), BYTE, 60},
	{ROW_FIELD, {WORDS_NO_YES}, CARD(flags2), SYMBIOS_AVOID_RESET, 1},
	{ROW_RUNS_IF_SAVED, {RUN_DEFAULTS}, 0, 0, 0},
};

ROM_CONST char devices_text[] = "devices of \0Its settings";

ROM_CONST char device_text[] =
	"device of \0\0"
	"Scan\0No: left out\0"
	"LUNs\0Yes: above 0, too\0"
	"Disconnect\0During commands\0"
	"Time-out\0" "0: none. PgUp PgDn: 100\0"
	"MT/s\0" "0: asynchronous. For other drivers\0"
	"Width\0For other drivers\0"
	"Queue tags\0For other drivers\0"
	"Boots first\0Before other drives\0"
	"Verify\0Any key stops it\0"
	"Format\0ALL DATA WILL BE LOST. It takes hours\0"
	"Defaults\0Of this device";
ROM_CONST struct row device_rows[] = {
	{ROW_FIELD, {WORDS_NO_YES}, TARGET(flags), TARGET_SCANNED, 1},
	{ROW_FIELD, {WORDS_NO_YES}, TARGET(flags), TARGET_LUNS, 1},
	{ROW_FIELD, {WORDS_NO_YES}, TARGET(flags), TARGET_DISCONNECTS, 1},
	{ROW_FIELD, {WORDS_SECONDS}, TARGET(timeout), WORD, 9999},
	{ROW_RATE, {WORDS_RATE}, 0, 0, 2},
	{ROW_FIELD, {WORDS_WIDTH}, TARGET(width), 0xf8, 2},
	{ROW_FIELD, {WORDS_NO_YES}, TARGET(flags), TARGET_TAGS, 1},
	{ROW_FIRST, {WORDS_FIRST}, 0, 0, 4},
	{ROW_RUNS, {RUN_VERIFY}, 0, 0, 0},
	{ROW_RUNS_IF_DISK, {RUN_FORMAT}, 0, 0, 0},
	{ROW_RUNS_IF_SAVED, {RUN_DEFAULTS}, 0, 0, 0},
};

ROM_CONST char all_text[] =
	"all controllers\0\0"
	"Banner\0Lines in POST\0"
	"Verbose\0Yes: a line for each device\0"
	"CD before disk\0If the BIOS leaves it to us\0"
	"CD menu\0How long it waits\0"
	"Key for set-up\0How long POST waits\0"
	"Native blocks\0Yes: large blocks stay whole\0"
	"Defaults\0Of all pages";
ROM_CONST struct row all_rows[] = {
	{ROW_SHARED, {WORDS_YES_NO}, OWN(flags), OWN_QUIET, 1},
	{ROW_SHARED, {WORDS_NO_YES}, CARD(flags), SYMBIOS_VERBOSE, 1},
	{ROW_SHARED, {WORDS_NO_YES}, OWN(flags), OWN_CD_FIRST, 1},
	{ROW_SHARED, {WORDS_SECONDS}, OWN(boot_timeout), BYTE, 60},
	{ROW_SHARED, {WORDS_SECONDS}, OWN(window), BYTE, 10},
	{ROW_SHARED, {WORDS_NO_YES}, OWN(flags), OWN_NATIVE_BLOCKS, 1},
	{ROW_RUNS_IF_SAVED, {RUN_DEFAULTS}, 0, 0, 0},
};

ROM_CONST char leave_text[] =
	"leave\0\0"
	"Save and restart\0To the NVRAM\0"
	"Discard and restart\0Changes are lost\0"
	"Back\0To the controllers";
ROM_CONST struct row leave_rows[] = {
	{ROW_RUNS, {RUN_SAVE}, 0, 0, 0},
	{ROW_RUNS, {RUN_DISCARD}, 0, 0, 0},
	{ROW_DOES, {PAGE_CONTROLLERS}, 0, 0, 0},
};

#define PAGE(name) name##_text, name##_rows, ARRAY_SIZE(name##_rows)
/* In the order of enum setup_page */
ROM_CONST struct page pages[PAGES] = {
	{PAGE(controllers), PAGE_LEAVE},
	{PAGE(all), PAGE_CONTROLLERS},
	{PAGE(leave), PAGE_CONTROLLERS},
	{PAGE(controller), PAGE_CONTROLLERS},
	{devices_text, NULL, 0, PAGE_CONTROLLER},
	{PAGE(device), PAGE_DEVICES},
};

struct page IN_ROM *rows_page(void)
{
	return &pages[setup.page];
}

char IN_ROM *rows_string(char IN_ROM *strings, u32 n)
{
	while (n)
		if (!*strings++)
			n--;
	return strings;
}

u32 rows_listed(void)
{
	if (setup.page == PAGE_CONTROLLERS)
		return adapter_count;
	if (setup.page != PAGE_DEVICES)
		return 0;
	return setup.adapter->chip->features & CHIP_WIDE ? 16 : 8;
}

struct row IN_ROM *rows_selected(void)
{
	u32 n = setup.selected[setup.page];

	return n < rows_listed() ? NULL : &rows_page()->rows[n - rows_listed()];
}

char IN_ROM *rows_source(const struct adapter __seg_gs *adapter)
{
	return rows_string(words, adapter_saves(adapter)
					  ? WORDS_SOURCE + (u32)adapter->settings.source
					  : WORDS_CHIP + (u32)adapter->settings.chip);
}

char IN_ROM *rows_result(enum nvram_result result)
{
	return rows_string(words, WORDS_RESULT + (u32)result);
}

/* ---- Values ------------------------------------------------------------------ */

typedef u16 __attribute__((aligned(1), may_alias)) u16_anywhere;

static NOT_INLINE u16_anywhere __seg_gs *
word_of(struct adapter __seg_gs *adapter, struct row IN_ROM *row)
{
	u8 __seg_gs *word = (u8 __seg_gs *)adapter + row->at;

	if (setup.page == PAGE_DEVICE)
		word += setup.id * sizeof(struct symbios_target);
	return (u16_anywhere __seg_gs *)word;
}

static struct symbios_target __seg_gs *target_of(struct adapter __seg_gs *adapter)
{
	return &adapter->settings.card.targets[setup.id];
}

/* The number of the rate's word: that of the next slower one if it has none */
static u32 get_rate(const struct symbios_target __seg_gs *target)
{
	u32 rate = 1;

	if (!target->offset)
		return 0;
	while (rate < ARRAY_SIZE(periods) &&
	       target->period < periods[rate] + PERIOD_UNIT)
		rate++;
	return rate;
}

static u32 get(struct adapter __seg_gs *adapter, struct row IN_ROM *row)
{
	if (row->kind == ROW_RATE)
		return get_rate(target_of(adapter));
	if (row->kind & ROW_SPECIAL) {
		for (u32 i = 4; i; i--)
			if (adapter->settings.own.boot_ids[i - 1] == setup.id)
				return i;
		return 0;
	}
	return (*word_of(adapter, row) & row->mask) /
	       (row->mask & -(u32)row->mask);
}

static void set_field(struct adapter __seg_gs *adapter,
		      struct row IN_ROM *row, u32 value)
{
	u16_anywhere __seg_gs *word = word_of(adapter, row);

	*word = (u16)((*word & ~row->mask) |
		      value * (row->mask & -(u32)row->mask));
}

/* Without parity, a wrong reselection would not be noticed. */
static void forbid_disconnects(struct adapter __seg_gs *adapter)
{
	for (u32 i = 0; i < SETTINGS_TARGETS; i++)
		adapter->settings.card.targets[i].flags &=
			(u8)~TARGET_DISCONNECTS;
	setup.note = ROM_STRING("Disconnects are off for all devices, too");
}

/* A device that was asynchronous gets the usual offset. */
static void set_rate(struct adapter __seg_gs *adapter, u32 rate)
{
	struct symbios_target __seg_gs *target = target_of(adapter);

	if (!rate) {
		target->offset = 0;
		return;
	}
	target->period = periods[rate - 1];
	if (!target->offset)
		target->offset = adapter->chip->features & CHIP_WIDE ? 16 : 8;
}

static void set_first(u8 __seg_gs *ids, u32 place)
{
	for (u32 i = 1; i <= 4; i++, ids++)
		if (i == place)
			*ids = setup.id;
		else if (*ids == setup.id)
			*ids = NO_BOOT_ID;
}

/* May another device have that ID, or has it that place in own.boot_ids? */
static bool is_taken(struct row IN_ROM *row, u32 value)
{
	u8 __seg_gs *ids = setup.adapter->settings.own.boot_ids;

	if (row->kind == ROW_ID)
		return adapter_has_device(setup.adapter, (u8)value) ||
		       (value != settings.card.host_id &&
			!(settings.card.targets[value].flags & TARGET_SCANNED));
	return row->kind == ROW_FIRST && value && ids[value - 1] != NO_BOOT_ID &&
	       ids[value - 1] != setup.id;
}

static void set(struct row IN_ROM *row, u32 value)
{
	struct adapter __seg_gs *adapter = setup.adapter;
	u8 kind = row->kind;

	adapter->changed = true;
	if (kind == ROW_RATE) {
		set_rate(adapter, value);
		return;
	}
	if (kind & ROW_SPECIAL) {
		set_first(adapter->settings.own.boot_ids, value);
		return;
	}
	set_field(adapter, row, value);
	if (kind & ROW_PARITY && !value)
		forbid_disconnects(adapter);
	if (kind & (ROW_TOUCHES | ROW_SHARED))
		adapters_touch();
	if (!(kind & ROW_SHARED))
		return;
	adapter = adapters;
	for (u32 i = adapter_count; i; i--, adapter++)
		set_field(adapter, row, value);
}

/* ---- What the user does ------------------------------------------------------ */

void rows_value(struct row IN_ROM *row)
{
	if (row->kind & ROW_DOES)
		return;
	u32 value = get(setup.adapter, row);
	screen_print(row->words < WORDS_ID
			     ? rows_string(words, row->words + value)
		     : row->words == WORDS_SECONDS ? ROM_STRING("# s")
						   : ROM_STRING("#"),
		     value);
}

bool rows_enabled(struct row IN_ROM *row)
{
	if (row->kind == ROW_RUNS_IF_DISK)
		return setup.inquiry.type == INQUIRY_TYPE_DISK;
	return adapter_saves(setup.adapter) || row->kind == ROW_DOES ||
	       row->kind == ROW_RUNS;
}

void rows_change(struct row IN_ROM *row, int step)
{
	struct adapter __seg_gs *adapter = setup.adapter;
	int value = (int)get(adapter, row), most = row->most;
	int least = row->words == WORDS_WIDTH;
	bool turns = row->words <= WORDS_ID;

	if (row->kind == ROW_RATE)
		most += adapter->chip->fast;
	if (!(adapter->chip->features & CHIP_WIDE)) {
		if (row->words == WORDS_ID)
			most = 7;
		most -= least; /* 8 bits */
	}
	do {
		value += step;
		step = step < 0 ? -1 : 1; /* to the next one that is not taken */
		if (value < least)
			value = turns ? most : least;
		else if (value > most)
			value = turns ? least : most;
	} while (is_taken(row, (u32)value));
	set(row, (u32)value);
}
