/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * [RBIL "INT 10/AH=00h", "02h", "09h", "0Fh"; "INT 16/AH=00h", "01h"]
 */
#include "screen.h"

#include "pc/bios.h"

#define COLUMNS 80u

#define VIDEO 0x10
#define INT10_SET_MODE 0x0000
#define INT10_SET_CURSOR 0x0200
#define INT10_WRITE 0x0900
#define INT10_GET_MODE 0x0f00

#define MODE_MASK 0x7f
#define MODE_COLOUR 3
#define MODE_MONO 7

#define KEYBOARD 0x16
#define NEW_KEY 0xe0 /* AL for a key that old keyboards do not have */

void screen_print(char IN_ROM *string, u32 number)
{
	for (; *string; string++)
		if (*string == '#')
			text_decimal(&setup.line, number);
		else if (*string == '$')
			text_hex(&setup.line, number, 4);
		else
			text_char(&setup.line, *string);
}

void screen_append(char IN_ROM *string)
{
	text_rom(&setup.line, string);
}

void screen_column(u32 column)
{
	while (setup.line.length < column)
		text_char(&setup.line, ' ');
}

/* Call the BIOS. Returns AX, in the upper half the flags. */
static NOT_INLINE u32 bios(u8 interrupt, u32 ax, u32 cx_and_dx)
{
	struct bios_regs regs = {.eax = ax,
				 .ebx = setup.colour,
				 .ecx = cx_and_dx,
				 .edx = cx_and_dx};

	bios_call(interrupt, &regs);
	return (regs.eax & 0xffff) | regs.flags << 16;
}

void screen_begin(void)
{
	u32 mode = bios(VIDEO, INT10_GET_MODE, 0) & MODE_MASK;

	(void)bios(VIDEO, INT10_SET_MODE | (mode == MODE_MONO ? MODE_MONO : MODE_COLOUR),
		   0);
}

/* Each character is written with its attribute. Teletype output would take half as many
 * calls, but SeaBIOS's serial console then shows no attributes.
 */
void screen_line(u8 colour)
{
	u32 at = (u32)setup.row++ << 8;
	char *next = setup.line.bytes;

	setup.colour = colour;
	text_char(&setup.line, ' '); /* replaced by the blank rest of the row, if it fits */
	for (u32 left = setup.line.length; left; left--, at++) {
		(void)bios(VIDEO, INT10_SET_CURSOR, at);
		(void)bios(VIDEO, INT10_WRITE | (u8)*next++,
			   left > 1 ? 1 : COLUMNS - (at & 0xff));
	}
	setup.line.length = 0;
}

u16 screen_key(void)
{
	u32 key = bios(KEYBOARD, INT16_READ, 0);
	u8 character = (u8)key;

	return character && character != NEW_KEY ? character
						 : (u16)(key & 0xff00);
}

bool screen_key_pressed(void)
{
	return !(bios(KEYBOARD, INT16_CHECK, 0) & FLAGS_ZF << 16);
}
