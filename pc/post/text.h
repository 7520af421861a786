/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Builds a line of text in a fixed buffer. Text that does not fit is cut off.
 */
#ifndef PC_TEXT_H
#define PC_TEXT_H

#include "pc/types.h"

struct text {
	u32 length;
	char bytes[80];
};

/* Append a character, a zero-terminated string in the ROM image, a decimal
 * number.
 */
void text_char(struct text *text, char c);
void text_rom(struct text *text, char IN_ROM *string);
void text_decimal(struct text *text, u32 value);

/* Append the lowest `digits` hexadecimal digits of a number. */
void text_hex(struct text *text, u32 value, u32 digits);

/* Append a space-padded field of `length` bytes from a device, without trailing
 * blanks and zeros. Bytes that are not printable ASCII become '?'.
 */
void text_field(struct text *text, const u8 *field, u32 length);

#endif
