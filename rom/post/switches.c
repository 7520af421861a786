/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The table of switches, and the syntax of a number.
 */
#include "switches.h"

#include "banner.h"
#include "pc/console.h"
#include "pc/post/fwcfg.h"

#define MOST_DIGITS 3

struct switch_row {
	char name[14];
	u8 most;
	u8 usual;
};

/* In the order of enum rom_switch */
ROM_CONST struct switch_row rows[SWITCHES] = {
	{"banner", 1, 1},
	{"verbose", 1, 0},
	{"scan-delay", 60, 0},
	{"host-id", 15, SWITCH_NOT_SET},
	{"bus-reset", 1, 1},
	{"native-blocks", 1, 0},
	{"take-over", 1, 0},
	{"boot-timeout", 60, 5},
};

ROM_CONST char folder[] = "opt/lsi8xx-rom/";

/* Read the number that is the whole file, except for a line feed at its end. */
static bool read_number(u32 bytes, u8 most, u8 __seg_gs *number)
{
	u32 value = 0, digits = 0;

	for (; bytes; bytes--) {
		u32 c = fwcfg_byte();
		if (c == '\n' && bytes == 1)
			break;
		if (c - '0' > 9 || ++digits > MOST_DIGITS)
			return false;
		value = value * 10 + c - '0';
	}
	if (!digits || value > most)
		return false;
	*number = (u8)value;
	return true;
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
		values[i] = rows[i].usual;
		wanted[i].name = rows[i].name;
	}
	if (!fwcfg)
		return;
	fwcfg_find(folder, wanted, SWITCHES);
	for (u32 i = 0; i < SWITCHES; i++) {
		u8 most = i == SWITCH_HOST_ID ? last_id : rows[i].most;

		if (wanted[i].file.key &&
		    !read_number(fwcfg_open(&wanted[i].file), most, &values[i]) &&
		    values[SWITCH_BANNER])
			report_bad_value(rows[i].name);
	}
}
