/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Prints text by INT 10h teletype output, so that it also appears on a serial
 * console of the BIOS.
 */
#ifndef PC_CONSOLE_H
#define PC_CONSOLE_H

#include "types.h"

/* Print a character. Moves FS. */
void console_char(char c);

/* Print `length` characters in our own RAM. Moves FS. */
void console_bytes(const char *text, u32 length);

/* Print a zero-terminated string in the ROM image. Moves FS. */
void console_rom(char IN_ROM *text);

/* Print two hexadecimal digits, or a decimal number. Moves FS. */
void console_hex8(u8 value);
void console_decimal(u32 value);

/* Print carriage return and line feed. Moves FS. */
void console_newline(void);

#endif
