/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Builds lines of text for POST.
 */
#include "text.h"

void text_char(struct text *text, char c)
{
	if (text->length < sizeof(text->bytes))
		text->bytes[text->length++] = c;
}

void text_rom(struct text *text, char IN_ROM *string)
{
	while (*string)
		text_char(text, *string++);
}

void text_decimal(struct text *text, u32 value)
{
	u32 power = 1;

	while (value / power >= 10)
		power *= 10;
	for (; power; power /= 10)
		text_char(text, (char)('0' + value / power % 10));
}

void text_hex(struct text *text, u32 value, u32 digits)
{
	while (digits--) {
		u8 digit = value >> digits * 4 & 15;
		text_char(text, (char)(digit < 10 ? '0' + digit
						  : 'a' + digit - 10));
	}
}

void text_field(struct text *text, const u8 *field, u32 length)
{
	while (length && (field[length - 1] == ' ' || !field[length - 1]))
		length--;
	for (u32 i = 0; i < length; i++)
		text_char(text, field[i] >= ' ' && field[i] <= '~'
					? (char)field[i]
					: '?');
}
