/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * What the keys do.
 */
#include "setup.h"

#include "pc/bda.h"
#include "rom/post/state.h"
#include "show.h"
#include "work.h"

u32 setup_main(u32 unused);

static void reboot(void) __attribute__((noreturn));
static void reboot(void)
{
	bda_open();
	FAR16(BDA_RESET) = BDA_WARM_BOOT;
	__asm__ volatile("ljmpw $0xffff, $0");
	__builtin_unreachable();
}

/* ---- Enter and Esc ----------------------------------------------------------------- */

/* Scan the bus of the controller, unless that has been done. */
static bool open_bus(void)
{
	show_note(ROM_STRING("Please wait"));
	if (adapter_open(setup.adapter))
		return true;
	setup.note = ROM_STRING("Chip or bus failed");
	return false;
}

static void open_page(enum setup_page page)
{
	if (page == PAGE_CONTROLLERS || page == PAGE_ALL) {
		setup.adapter = adapters_first();
	} else if (page == PAGE_DEVICES || page == PAGE_DEVICE) {
		if (!open_bus())
			return;
	}
	setup.page = page;
	if (page == PAGE_DEVICE)
		work_ask_device();
}

static void set_defaults(void)
{
	struct adapter __seg_gs *adapter = setup.adapter;
	u32 left = 1;

	if (setup.page == PAGE_ALL) {
		adapter = adapters;
		left = adapter_count;
	}
	for (; left; left--, adapter++)
		adapter_set_defaults(adapter, setup.page == PAGE_DEVICE
						      ? setup.id
						      : ALL_IDS,
				     setup.page == PAGE_ALL);
}

static void run(enum setup_action action)
{
	enum nvram_result result;

	switch (action) {
	case RUN_DEFAULTS:
		set_defaults();
		break;
	case RUN_VERIFY:
		work_verify();
		break;
	case RUN_FORMAT:
		work_format();
		work_ask_device();
		break;
	case RUN_SAVE:
		result = adapters_write();
		if (result != NVRAM_OK) {
			setup.note = rows_result(result);
			break;
		}
		reboot();
	case RUN_DISCARD:
		reboot();
	}
}

static void enter(u8 n)
{
	struct row IN_ROM *row = rows_selected();

	if (!row && setup.page == PAGE_DEVICES) {
		setup.id = n;
		open_page(PAGE_DEVICE);
	} else if (!row) {
		if (!adapters[n].host.io)
			return;
		setup.adapter = &adapters[n];
		open_page(PAGE_CONTROLLER);
	} else if (row->kind == ROW_DOES) {
		open_page((enum setup_page)row->does);
	} else if (row->kind & ROW_DOES && rows_enabled(row)) {
		run((enum setup_action)row->does);
	}
}

/* ---- + and - ----------------------------------------------------------------------- */

/* Change the selected row, or move the selected controller in the boot order. */
static void change(int step)
{
	struct row IN_ROM *row = rows_selected();

	if (row) {
		if (row->kind & ROW_DOES || !rows_enabled(row))
			return;
		if (row->kind == ROW_ID)
			(void)open_bus(); /* no ID is passed over if it fails */
		rows_change(row, step);
		return;
	}
	u32 from = setup.selected[PAGE_CONTROLLERS], to = from + (u32)step;
	if (setup.page != PAGE_CONTROLLERS || to >= adapter_count ||
	    !adapter_saves(setup.adapter))
		return;
	adapter_swap_with_next(&adapters[step < 0 ? to : from]);
	setup.adapter = adapters_first();
	setup.selected[PAGE_CONTROLLERS] = (u8)to;
}

/* ---- Keys ------------------------------------------------------------------------ */

struct key {
	u16 key;
	i8 move; /* of the choice */
	i8 step; /* of the value */
};

ROM_CONST struct key keys[] = {
	{KEY_UP, -1, 0},     {KEY_DOWN, 1, 0},	  {KEY_HOME, -100, 0},
	{KEY_END, 100, 0},   {'+', 0, 1},	  {'=', 0, 1},
	{KEY_RIGHT, 0, 1},   {'-', 0, -1},	  {KEY_LEFT, 0, -1},
	{KEY_PAGE_UP, 0, 100}, {KEY_PAGE_DOWN, 0, -100},
	{KEY_F2, 100, 0}, /* on the page of controllers: the last row */
};

static void choose(int move)
{
	u8 *selected = &setup.selected[setup.page];
	int last = (int)(rows_listed() + rows_page()->count) - 1;
	int now = *selected + move;

	*selected = (u8)(now < 0 ? 0 : now > last ? last : now);
}

static void act_on(u16 key)
{
	if (key == KEY_ENTER)
		enter(setup.selected[setup.page]);
	if (key == KEY_ESC)
		open_page((enum setup_page)rows_page()->back);
	if (key == KEY_F1)
		setup.note = ROM_STRING(
			"Home End: first, last. PgUp PgDn: 100. Enter: open, run. Esc: back");
	if (key == KEY_F2)
		open_page(PAGE_CONTROLLERS);
	for (u32 i = 0; i < ARRAY_SIZE(keys); i++) {
		if (keys[i].key != key)
			continue;
		choose(keys[i].move);
		if (keys[i].step)
			change(keys[i].step);
	}
}

/* On our stack */
u32 setup_main(u32 unused)
{
	(void)unused;
	workspace.quiet = true; /* the scan prints nothing */
	setup = (struct setup_state){.note = ROM_STRING("")};
	screen_begin();
	adapters_read();
	open_page(PAGE_CONTROLLERS);
	for (;;) {
		show_page();
		act_on(screen_key());
	}
}

void setup_run(u16 workspace_segment)
{
	adapters_find(post.pci_address);
	__asm__ volatile("movw %0, %%ds\n\t"
			 "movl $setup_main, %%ecx\n\t"
			 "callw own_stack_call"
			 :
			 : "r"(workspace_segment));
	__builtin_unreachable();
}
