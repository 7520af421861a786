/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Text on the screen through INT 10h teletype, so that it also reaches a
 * BIOS's serial console.
 */
#ifndef PC_CONSOLE_H
#define PC_CONSOLE_H

#include "types.h"

/* One character. Moves FS. */
void console_char(char c);

/* Characters of our own RAM. Moves FS. */
void console_bytes(const char *text, u32 length);

/* A zero-terminated string in the ROM image. Moves FS. */
void console_rom(char IN_ROM *text);

/* Two hexadecimal digits; a decimal number. Moves FS. */
void console_hex8(u8 value);
void console_decimal(u32 value);

/* Carriage return and line feed. Moves FS. */
void console_newline(void);

#endif
