/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Lines of text on the console.
 */
#include "app.h"

#include <stdarg.h>

#define LINE 240

struct line {
	char *at, *end; /* room for the final zero is left at `end` */
};

static void put(struct line *line, char c)
{
	if (line->at < line->end)
		*line->at++ = c;
}

static void put_number(struct line *line, u64 number, u32 base)
{
	char digits[20];
	u32 count = 0;

	do {
		digits[count++] = "0123456789abcdef"[number % base];
		number /= base;
	} while (number);
	while (count)
		put(line, digits[--count]);
}

static void put_format(struct line *line, const char *format, va_list arguments)
{
	for (; *format; format++) {
		if (*format != '%') {
			put(line, *format);
			continue;
		}
		if (*++format == 's')
			for (const char *s = va_arg(arguments, const char *); *s; s++)
				put(line, *s);
		else
			put_number(line, va_arg(arguments, u64), *format == 'x' ? 16 : 10);
	}
	*line->at = 0;
}

char *format_text(char *text, u32 bytes, const char *format, ...)
{
	struct line line = {text, text + bytes - 1};
	va_list arguments;

	va_start(arguments, format);
	put_format(&line, format, arguments);
	va_end(arguments);
	return text;
}

void print(const char *format, ...)
{
	static char text[LINE];
	static efi_char16 wide[LINE + 2];
	struct line line = {text, text + LINE - 1};
	va_list arguments;
	u32 n = 0;

	va_start(arguments, format);
	put_format(&line, format, arguments);
	va_end(arguments);
	for (; text[n]; n++)
		wide[n] = (efi_char16)text[n];
	wide[n++] = '\r';
	wide[n++] = '\n';
	wide[n] = 0;
	system_table->con_out->output_string(system_table->con_out, wide);
}
