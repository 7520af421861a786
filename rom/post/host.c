/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Each line of both files begins with an Open Firmware path such as
 * /pci@i0cf8/pci-bridge@5/scsi@3/channel@0/disk@1,0
 * with device[,function] of bridges and controller, and target,LUN of the disk. In
 * "bios-geometry", cylinders, heads and sectors follow the path.
 */
#include "host.h"

#include "pc/post/fwcfg.h"
#include "pc/post/pci.h"

#define LINE_BYTES 128
#define MOST_LINES 64

struct line {
	u32 length;
	char bytes[LINE_BYTES];
};

/* Read one line, zero-terminated and without its line feed. A line that is
 * too long is cut off. False at the end of the file.
 */
static NOT_INLINE bool read_line(struct line *line, u32 *left)
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

/* Skip `text`. False, and nothing changes, if *at does not begin with it. */
static bool skip(const char **at, char IN_ROM *text)
{
	const char *c = *at;

	for (; *text; text++, c++)
		if (*c != *text)
			return false;
	*at = c;
	return true;
}

/* Skip to the character after the next `mark` of this path component. */
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
			return false; /* larger than any unit address */
		if (c >= '0' && c <= '9')
			*value = *value << 4 | (u32)(c - '0');
		else if (c >= 'a' && c <= 'f')
			*value = *value << 4 | (u32)(c - 'a' + 10);
		else
			return *at != start;
	}
}

/* Read "@first[,second]" of the path component at *at. */
static bool unit_address(const char **at, u32 *first, u32 *second)
{
	*second = 0;
	if (!skip_to(at, '@') || !hex_number(at, first))
		return false;
	return !skip(at, ROM_STRING(",")) || hex_number(at, second);
}

/* Find the bridge to a bus. It is on a bus with a lower number. */
static bool find_bridge(u32 bus, u16 *pci_address)
{
	for (u32 at = 0; at < bus << 8; at++) {
		if ((pci_read32((u16)at, PCI_HEADER) & PCI_HEADER_TYPE_MASK) !=
			    PCI_HEADER_BRIDGE ||
		    (pci_read32((u16)at, PCI_BUSES) >> 8 & 0xff) != bus)
			continue;
		*pci_address = (u16)at;
		return true;
	}
	return false;
}

static void find_files(struct host_path __seg_gs *path)
{
	struct fwcfg_wanted wanted[] = {{.name = ROM_STRING("bootorder")},
					{.name = ROM_STRING("bios-geometry")}};

	fwcfg_find(ROM_STRING(""), wanted, ARRAY_SIZE(wanted));
	path->order = wanted[0].file;
	path->geometries = wanted[1].file;
}

void host_find_path(u16 pci_address, struct host_path __seg_gs *path)
{
	find_files(path);
	path->steps = 0;
	for (u8 i = 0; i <= HOST_MOST_BRIDGES; i++) {
		path->step[i] = (u8)pci_address;
		if (!(pci_address >> 8)) {
			path->steps = (u8)(i + 1);
			return;
		}
		if (!find_bridge(pci_address >> 8, &pci_address))
			return;
	}
}

/* Skip the path of the controller, from the root. */
static bool skip_controller(const char **at, IN_ROM struct host_path *path)
{
	u32 slot, function;

	if (!path->steps || !skip(at, ROM_STRING("/pci@i0cf8")))
		return false;
	for (u32 i = path->steps; i; i--)
		if (!skip(at, ROM_STRING("/")) ||
		    !unit_address(at, &slot, &function) ||
		    (slot << 3 | function) != path->step[i - 1])
			return false;
	return true;
}

/* Skip a path that names the unit. */
static bool skip_unit(const char **at, IN_ROM struct host_path *path,
		      struct scsi_device device)
{
	u32 channel, ignored, target, lun;

	return skip_controller(at, path) &&
	       skip(at, ROM_STRING("/channel")) &&
	       unit_address(at, &channel, &ignored) &&
	       skip(at, ROM_STRING("/disk")) &&
	       unit_address(at, &target, &lun) &&
	       target == device.target && lun == device.lun &&
	       (!**at || **at == '/' || **at == ' ');
}

u8 host_boot_rank(IN_ROM struct host_path *path, struct scsi_device device)
{
	struct fwcfg_file file = path->order;
	u32 left = fwcfg_open(&file);
	struct line line;

	for (u8 rank = 0; rank < MOST_LINES && read_line(&line, &left);
	     rank++) {
		const char *at = line.bytes;
		if (skip_unit(&at, path, device))
			return rank;
	}
	return HOST_NO_RANK;
}

/* Read " 123", a value from 1 to `most`. */
static bool decimal_number(const char **at, u32 most, u32 *value)
{
	if (!skip(at, ROM_STRING(" ")))
		return false;
	for (*value = 0; **at >= '0' && **at <= '9' && *value <= most; ++*at)
		*value = *value * 10 + (u32)(**at - '0');
	return *value >= 1 && *value <= most;
}

bool host_geometry(IN_ROM struct host_path *path, struct scsi_device device,
		   struct geometry *geometry)
{
	struct fwcfg_file file = path->geometries;
	u32 left = fwcfg_open(&file);
	u32 cylinders, heads, sectors;
	struct line line;

	for (u32 i = 0; i < MOST_LINES && read_line(&line, &left); i++) {
		const char *at = line.bytes;
		if (skip_unit(&at, path, device) &&
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
