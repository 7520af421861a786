/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Both files have one Open Firmware path a line, such as
 * /pci@i0cf8/scsi@3/channel@0/disk@1,0
 * with device[,function] of the controller and target,LUN of the disk;
 * "bios-geometry" has cylinders, heads and sectors behind it.
 */
#include "host.h"

#include "pc/fwcfg.h"

#define LINE_BYTES 128
#define MOST_LINES 64

struct line {
	u32 length;
	char bytes[LINE_BYTES];
};

/* One line without its end, zero-terminated; what is too long is cut off.
 * False at the end of the file.
 */
static bool read_line(struct line *line, u32 *left)
{
	line->length = 0;
	if (!*left)
		return false;
	while (*left) {
		char c = (char)fwcfg_byte();
		--*left;
		if (c == '\n' || !c)
			break;
		if (line->length < LINE_BYTES - 1)
			line->bytes[line->length++] = c;
	}
	line->bytes[line->length] = 0;
	return true;
}

/* Step over `text` if it stands there. */
static bool skip(const char **at, const char IN_ROM *text)
{
	const char *c = *at;

	for (; *text; text++, c++)
		if (*c != *text)
			return false;
	*at = c;
	return true;
}

/* Step behind the next `mark` of this path component. */
static bool skip_to(const char **at, char mark)
{
	const char *c = *at;

	while (*c && *c != '/' && *c != mark)
		c++;
	if (*c != mark)
		return false;
	*at = c + 1;
	return true;
}

static bool hex_number(const char **at, u32 *value)
{
	const char *start = *at;

	for (*value = 0;; ++*at) {
		char c = **at;
		if (*value >> 28)
			return false; /* more than any unit has */
		if (c >= '0' && c <= '9')
			*value = *value << 4 | (u32)(c - '0');
		else if (c >= 'a' && c <= 'f')
			*value = *value << 4 | (u32)(c - 'a' + 10);
		else
			return *at != start;
	}
}

/* "@first[,second]" of the component that begins here */
static bool unit_address(const char **at, u32 *first, u32 *second)
{
	*second = 0;
	if (!skip_to(at, '@') || !hex_number(at, first))
		return false;
	return !skip(at, ROM_STRING(",")) || hex_number(at, second);
}

/* Step over a path that names the unit. */
static bool skip_unit(const char **at, u16 pci_address,
		      struct scsi_device device)
{
	u32 slot, function, channel, ignored, target, lun;

	/* Controllers behind a bridge have a longer path and a bus number
	 * that is not in it.
	 */
	return (pci_address >> 8) == 0 &&
	       skip(at, ROM_STRING("/pci@i0cf8/")) &&
	       unit_address(at, &slot, &function) &&
	       (slot << 3 | function) == (pci_address & 0xff) &&
	       skip(at, ROM_STRING("/channel")) &&
	       unit_address(at, &channel, &ignored) &&
	       skip(at, ROM_STRING("/disk")) &&
	       unit_address(at, &target, &lun) &&
	       target == device.target && lun == device.lun &&
	       (!**at || **at == '/' || **at == ' ');
}

u8 host_boot_rank(u16 pci_address, struct scsi_device device)
{
	u32 left = fwcfg_open(ROM_STRING("bootorder"));
	struct line line;

	for (u8 rank = 0; rank < MOST_LINES && read_line(&line, &left);
	     rank++) {
		const char *at = line.bytes;
		if (skip_unit(&at, pci_address, device))
			return rank;
	}
	return HOST_NO_RANK;
}

/* " 123", from 1 to most */
static bool decimal_number(const char **at, u32 most, u32 *value)
{
	if (!skip(at, ROM_STRING(" ")))
		return false;
	for (*value = 0; **at >= '0' && **at <= '9' && *value <= most; ++*at)
		*value = *value * 10 + (u32)(**at - '0');
	return *value >= 1 && *value <= most;
}

bool host_geometry(u16 pci_address, struct scsi_device device,
		   struct geometry *geometry)
{
	u32 left = fwcfg_open(ROM_STRING("bios-geometry"));
	u32 cylinders, heads, sectors;
	struct line line;

	for (u32 i = 0; i < MOST_LINES && read_line(&line, &left); i++) {
		const char *at = line.bytes;
		if (skip_unit(&at, pci_address, device) &&
		    decimal_number(&at, 1024, &cylinders) &&
		    decimal_number(&at, 255, &heads) &&
		    decimal_number(&at, 63, &sectors)) {
			*geometry = (struct geometry){
				(u16)cylinders, (u8)heads, (u8)sectors};
			return true;
		}
	}
	return false;
}

bool host_native_blocks(void)
{
	return fwcfg_open(ROM_STRING("opt/lsi8xx-rom/native-blocks")) &&
	       fwcfg_byte() == '1';
}
