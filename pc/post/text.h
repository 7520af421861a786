/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Builds one line of text in a fixed buffer; text that does not fit is cut off.
 */
#ifndef PC_TEXT_H
#define PC_TEXT_H

#include "pc/types.h"

struct text {
	u32 length;
	char bytes[80];
};

void text_char(struct text *text, char c);
void text_rom(struct text *text, char IN_ROM *string);
void text_decimal(struct text *text, u32 value);

/* The lowest `digits` hexadecimal digits. */
void text_hex(struct text *text, u32 value, u32 digits);

/* A space-padded field of a device: trailing blanks dropped, anything not
 * printable shown as '?'.
 */
void text_field(struct text *text, const u8 *field, u32 length);

#endif
