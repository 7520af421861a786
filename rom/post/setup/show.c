/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Composes each row of the screen.
 */
#include "show.h"

#include "rom/post/banner.h"
#include "rom/post/sense_text.h"
#include "rom/post/targets.h"

#define ROW_FIRST_ROW 5
#define ROW_NOTE 21
#define ROW_HELP 22
#define ROW_KEYS 23

#define COLUMN_VALUE 20

static void append_controller(const struct adapter __seg_gs *adapter)
{
	banner_chip_name(&setup.line, adapter->chip, adapter->pci_address);
}

static void show_title(void)
{
	screen_append(ROM_STRING("lsi8xx-rom " VERSION " set-up: "));
	screen_append(rows_page()->text);
	if (setup.page >= PAGE_CONTROLLER)
		append_controller(setup.adapter);
	screen_line(SCREEN_REVERSE);
}

/* Why can settings not be changed? */
static void show_reason(void)
{
	if (!adapter_saves(setup.adapter)) {
		screen_append(ROM_STRING("Locked, cannot be saved. NVRAM: "));
		screen_append(rows_source(setup.adapter));
	}
	screen_line(SCREEN_PLAIN);
}

static void append_field(const u8 *field, u32 length)
{
	text_field(&setup.line, field, length);
	text_char(&setup.line, ' ');
}

/* The device with that ID, its INQUIRY data. False if there is none. */
static bool append_device(u8 id)
{
	bool found = adapter_has_device(setup.adapter, id);

	screen_print(ROM_STRING("ID # "), id);
	screen_column(8);
	if (found) {
		targets_data(id, &setup.inquiry);
		append_field(setup.inquiry.vendor, sizeof(setup.inquiry.vendor));
		append_field(setup.inquiry.product, sizeof(setup.inquiry.product));
		append_field(setup.inquiry.revision, sizeof(setup.inquiry.revision));
	} else {
		screen_append(id == workspace.lsi.hba.own_id
				      ? ROM_STRING("controller")
			      : targets_is_left_out(id) ? ROM_STRING("not scanned")
							: ROM_STRING("no device"));
	}
	return found;
}

static void append_state(void)
{
	screen_append(banner_words(setup.result));
	screen_print(ROM_STRING(", # MiB"),
		     (u32)(setup.capacity.blocks * setup.capacity.block_bytes >> 20));
	screen_print(ROM_STRING(", blocks of #, asynchronous, 8 bits"),
		     setup.capacity.block_bytes);
}

static void show_data(void)
{
	bool device = false;
	const u8 *sense = workspace.int13.bus.sense;

	if (setup.page == PAGE_DEVICE)
		device = append_device(setup.id);
	screen_line(SCREEN_PLAIN);
	if (device)
		append_state();
	if (setup.page == PAGE_CONTROLLERS)
		screen_append(ROM_STRING(
			"                         I/O   IRQ NVRAM    Boots"));
	screen_line(SCREEN_PLAIN);
	if (device && sense[0]) {
		screen_append(ROM_STRING("sense: "));
		sense_text(&setup.line, sense);
	}
	screen_line(SCREEN_PLAIN);
}

static NOT_INLINE void append_listed(u32 n)
{
	const struct adapter __seg_gs *adapter = &adapters[n];

	if (setup.page == PAGE_DEVICES) {
		(void)append_device((u8)n);
		return;
	}
	append_controller(adapter);
	screen_column(25);
	if (!adapter->host.io) {
		screen_append(ROM_STRING("another driver's"));
		return;
	}
	screen_print(ROM_STRING("$  "), adapter->host.io);
	screen_print(ROM_STRING("#"), adapter->irq);
	screen_column(35);
	screen_append(rows_source(adapter));
	screen_column(44);
	screen_print(adapter->host.flags & SYMBIOS_HOST_BOOTS ? ROM_STRING("#")
							      : ROM_STRING("no"),
		     n + 1);
}

static void show_row(u32 n)
{
	struct page IN_ROM *page = rows_page();
	u32 own = n - rows_listed(), help = 1;
	bool chosen = n == setup.selected[setup.page];
	u8 colour = SCREEN_BRIGHT;

	setup.row = (u8)(ROW_FIRST_ROW + n);
	screen_append(chosen ? ROM_STRING("> ") : ROM_STRING("  "));
	if (n < rows_listed()) {
		append_listed(n);
	} else if (own < page->count) {
		help = 2 + 2 * own;
		screen_append(rows_string(page->text, help++));
		screen_column(COLUMN_VALUE);
		rows_value(&page->rows[own]);
		if (!rows_enabled(&page->rows[own]))
			colour = SCREEN_PLAIN;
	}
	screen_line(chosen ? SCREEN_REVERSE : colour);
	if (!chosen)
		return;
	setup.row = ROW_HELP;
	screen_append(rows_string(page->text, help));
	screen_line(SCREEN_PLAIN);
}

void show_note(char IN_ROM *note)
{
	setup.row = ROW_NOTE;
	screen_append(note);
	screen_line(SCREEN_BRIGHT);
}

void show_page(void)
{
	setup.row = 0;
	show_title();
	show_reason();
	show_data();
	for (u32 i = 0; i < ROW_NOTE - ROW_FIRST_ROW; i++)
		show_row(i);
	show_note(setup.note);
	setup.note = ROM_STRING("");
	setup.row = ROW_KEYS;
	screen_append(ROM_STRING(
		"Arrows, + -, Enter, Esc, F1: help, F2: menu"));
	screen_line(SCREEN_REVERSE);
}
