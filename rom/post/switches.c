/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The table of switches, and the syntax of a value.
 */
#include "switches.h"

#include "banner.h"
#include "pc/console.h"
#include "pc/post/fwcfg.h"
#include "settings.h"

#define VALUE_BYTES 5 /* the longest value, and a zero */

struct switch_row {
	char name[14];
	u8 most;
	/* The setting: a byte of `settings`, or a bit. With `most` 1, it is set if the bit
	 * differs from `off`.
	 */
	u8 mask, off;
	u16 at;
	IN_ROM char (*words)[VALUE_BYTES]; /* values 0 to `most`, or null: numbers */
};

/* In the order of enum geometry_rule */
ROM_CONST char geometry_rules[][VALUE_BYTES] = {"size", "cam"};

#define BYTE_OF(member) 0xff, 0, offsetof(struct settings, member)
#define BIT_OF(member, bit) bit, 0, offsetof(struct settings, member)
#define NOT_BIT_OF(member, bit) bit, bit, offsetof(struct settings, member)

/* In the order of enum rom_switch */
ROM_CONST struct switch_row rows[SWITCHES] = {
	{"banner", 1, NOT_BIT_OF(own.flags, OWN_QUIET), NULL},
	{"verbose", 1, BIT_OF(card.flags, SYMBIOS_VERBOSE), NULL},
	{"scan-delay", 60, BYTE_OF(own.scan_delay), NULL},
	{"host-id", 15, BYTE_OF(card.host_id), NULL},
	{"bus-reset", 1, NOT_BIT_OF(card.flags2, SYMBIOS_AVOID_RESET), NULL},
	{"native-blocks", 1, BIT_OF(own.flags, OWN_NATIVE_BLOCKS), NULL},
	{"take-over", 1, 0, 0, 0, NULL},
	{"boot-timeout", 60, BYTE_OF(own.boot_timeout), NULL},
	{"geometry", SWITCH_CAM,
	 NOT_BIT_OF(card.flags, SYMBIOS_CHS_ALTERNATE), geometry_rules},
	{"setup-wait", 10, BYTE_OF(own.window), NULL},
};

ROM_CONST char folder[] = "opt/lsi8xx-rom/";

/* Read the whole file, except for a line feed at its end, zero-terminated. False
 * if it is not as long as a value.
 */
static bool read_value(u32 bytes, char value[VALUE_BYTES])
{
	u32 length = 0;

	for (; bytes; bytes--) {
		char c = (char)fwcfg_byte();
		if (c == '\n' && bytes == 1)
			break;
		if (!c || length == VALUE_BYTES - 1)
			return false;
		value[length++] = c;
	}
	value[length] = 0;
	return length != 0;
}

#define BAD_VALUE 0x100u

static u32 as_number(const char *value)
{
	u32 sum = 0;

	for (; *value; value++) {
		u32 digit = (u32)*value - '0';
		if (digit > 9)
			return BAD_VALUE;
		sum = sum * 10 + digit;
	}
	return sum;
}

static bool is_word(const char *value, char IN_ROM *word)
{
	for (; *value == *word; value++, word++)
		if (!*word)
			return true;
	return false;
}

static u32 as_word(const char *value, const struct switch_row __seg_gs *row)
{
	for (u32 i = 0; i <= row->most; i++)
		if (is_word(value, row->words[i]))
			return i;
	return BAD_VALUE;
}

/* BAD_VALUE, or another number above row->most, if it has no value of that switch */
static u32 read_switch(const struct fwcfg_file *file,
		       const struct switch_row __seg_gs *row)
{
	char value[VALUE_BYTES];

	if (!read_value(fwcfg_open(file), value))
		return BAD_VALUE;
	return row->words ? as_word(value, row) : as_number(value);
}

static void report_bad_value(char IN_ROM *name)
{
	banner_begin();
	console_rom(folder);
	console_rom(name);
	banner_end(ROM_STRING(": bad value, ignored"));
}

void switches_read(u8 __seg_gs *values, bool fwcfg, u8 last_id)
{
	struct fwcfg_wanted wanted[SWITCHES];

	for (u32 i = 0; i < SWITCHES; i++) {
		values[i] = SWITCH_NOT_SET;
		wanted[i].name = rows[i].name;
	}
	if (!fwcfg)
		return;
	values[SWITCH_SETUP_WAIT] = 0;
	fwcfg_find(folder, wanted, SWITCHES);
	for (u32 i = 0; i < SWITCHES; i++) {
		u8 most = i == SWITCH_HOST_ID ? last_id : rows[i].most;

		if (!wanted[i].file.key)
			continue;
		u32 value = read_switch(&wanted[i].file, &rows[i]);
		if (value <= most)
			values[i] = (u8)value;
		else if (values[SWITCH_BANNER])
			report_bad_value(rows[i].name);
	}
}

void switches_complete(u8 __seg_gs *values)
{
	for (u32 i = 0; i < SWITCHES; i++) {
		const struct switch_row __seg_gs *row = &rows[i];
		u8 value = *((u8 IN_ROM *)&settings + row->at) & row->mask;

		if (values[i] == SWITCH_NOT_SET)
			values[i] = row->most == 1 ? value != row->off : value;
	}
}
