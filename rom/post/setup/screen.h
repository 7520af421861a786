/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * A text screen of 80 columns and 25 rows by INT 10h, and keys by INT 16h: no access to
 * video memory, so that a BIOS's serial console shows it, too.
 */
#ifndef ROM_SCREEN_H
#define ROM_SCREEN_H

#include "setup_state.h"

/* Attributes that colour and monochrome adapters show */
enum screen_colour {
	SCREEN_PLAIN = 0x07,
	SCREEN_BRIGHT = 0x0f,
	SCREEN_REVERSE = 0x70,
};

/* Keys, as in AL, or in AH if AL is no character */
#define KEY_ENTER 0x0d
#define KEY_ESC 0x1b
#define KEY_F1 (0x3b << 8)
#define KEY_F2 (0x3c << 8)
#define KEY_HOME (0x47 << 8)
#define KEY_UP (0x48 << 8)
#define KEY_PAGE_UP (0x49 << 8)
#define KEY_LEFT (0x4b << 8)
#define KEY_RIGHT (0x4d << 8)
#define KEY_END (0x4f << 8)
#define KEY_DOWN (0x50 << 8)
#define KEY_PAGE_DOWN (0x51 << 8)

/* Append to setup.line: a string; one with the number in place of '#', or as four
 * hexadecimal digits in place of '$'; blanks up to a column.
 */
void screen_append(char IN_ROM *string);
void screen_print(char IN_ROM *string, u32 number);
void screen_column(u32 column);

/* Set a text mode, which clears the screen: that of the adapter in use. Moves FS. */
void screen_begin(void);

/* Show setup.line in row setup.row, the rest of it blank, and go on to the next row with an
 * empty line. `colour` is an enum screen_colour. Moves FS.
 */
void screen_line(u8 colour);

/* Wait for a key. Moves FS. */
u16 screen_key(void);

/* Was a key pressed? The next screen_key() returns it. Moves FS. */
bool screen_key_pressed(void);

#endif
