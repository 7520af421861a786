/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Each line of both files begins with an Open Firmware path such as
 * /pci@i0cf8/pci-bridge@5/scsi@3/channel@0/disk@1,0
 * with device[,function] of bridges and controller, and target,LUN of the disk. In
 * "bios-geometry", cylinders, heads and sectors follow the path.
 */
#include "host.h"

#include "banner.h"
#include "pc/console.h"
#include "pc/post/fwcfg.h"
#include "pc/post/pci.h"
#include "rom/workspace.h"

#define LINE_BYTES 128

/* A file that is read line by line, once for all drives */
struct lines {
	IN_ROM struct host_path *path; /* of the controller */
	u32 left;     /* bytes of the file */
	u16 number;   /* of the line, from 0 */
	const char *rest; /* of the line: what follows the path of a unit */
	u32 target, lun;  /* of that unit */
	char bytes[LINE_BYTES];
};

static void begin(struct lines *lines, IN_ROM struct host_path *path,
		  struct fwcfg_file file)
{
	lines->path = path;
	lines->left = fwcfg_open(&file);
	lines->number = 0xffff;
}

/* Read one line, zero-terminated and without its line feed. A line that is
 * too long is cut off. False at the end of the file.
 */
static bool read_line(struct lines *lines)
{
	u32 length = 0;

	if (!lines->left)
		return false;
	while (lines->left) {
		char c = (char)fwcfg_byte();
		lines->left--;
		if (c == '\n' || !c)
			break;
		if (length < LINE_BYTES - 1)
			lines->bytes[length++] = c;
	}
	lines->bytes[length] = 0;
	lines->number++;
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

static void find_files(struct host_path __seg_gs *path, bool quiet)
{
	struct fwcfg_wanted wanted[] = {{.name = ROM_STRING("bootorder")},
					{.name = ROM_STRING("bios-geometry")}};

	fwcfg_find(ROM_STRING(""), wanted, ARRAY_SIZE(wanted));
	for (u32 i = 0; i < ARRAY_SIZE(wanted); i++) {
		if (wanted[i].file.bytes <= HOST_MOST_BYTES)
			continue;
		wanted[i].file.key = 0;
		if (quiet)
			continue;
		banner_begin();
		console_rom(wanted[i].name);
		banner_end(ROM_STRING(": longer than 16 KiB, ignored"));
	}
	path->order = wanted[0].file;
	path->geometries = wanted[1].file;
}

void host_find_path(u16 pci_address, struct host_path __seg_gs *path,
		    bool quiet)
{
	find_files(path, quiet);
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

/* Skip a path that names a unit of the controller. */
static bool skip_unit(struct lines *lines)
{
	const char **at = &lines->rest;
	u32 channel, ignored;

	lines->rest = lines->bytes;
	return skip_controller(at, lines->path) &&
	       skip(at, ROM_STRING("/channel")) &&
	       unit_address(at, &channel, &ignored) &&
	       skip(at, ROM_STRING("/disk")) &&
	       unit_address(at, &lines->target, &lines->lun) &&
	       (!**at || **at == '/' || **at == ' ');
}

static u32 drives(void)
{
	return workspace.int13.disks;
}

/* Read on to a line that names a drive. Returns its row, or drives() at the end of the
 * file.
 */
static NOT_INLINE u32 next_drive(struct lines *lines)
{
	while (read_line(lines)) {
		if (!skip_unit(lines))
			continue;
		for (u32 i = 0; i < drives(); i++)
			if (drive_table[i].device.target == lines->target &&
			    drive_table[i].device.lun == lines->lun)
				return i;
	}
	return drives();
}

void host_boot_ranks(IN_ROM struct host_path *path, u16 *ranks)
{
	struct lines lines;
	u32 row;

	for (u32 i = 0; i < drives(); i++)
		ranks[i] = HOST_NO_RANK;
	begin(&lines, path, path->order);
	while ((row = next_drive(&lines)) < drives())
		if (ranks[row] == HOST_NO_RANK)
			ranks[row] = lines.number;
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

/* Read " 100 16 63", a geometry. */
static bool read_geometry(const char *at, struct geometry *geometry)
{
	u32 cylinders, heads, sectors;

	if (!decimal_number(&at, 1024, &cylinders) ||
	    !decimal_number(&at, 255, &heads) ||
	    !decimal_number(&at, 63, &sectors))
		return false;
	*geometry = (struct geometry){(u16)cylinders, (u8)heads, (u8)sectors};
	return true;
}

void host_set_geometries(IN_ROM struct host_path *path)
{
	struct geometry geometry;
	struct lines lines;
	u32 row, done = 0; /* a bit for each row */

	begin(&lines, path, path->geometries);
	while ((row = next_drive(&lines)) < drives()) {
		struct disk *disk = &drive_table[row];
		if (done & 1u << row || disk->flags & DISK_CD ||
		    !read_geometry(lines.rest, &geometry))
			continue;
		done |= 1u << row;
		if (geometry_fits(&geometry, drives_sectors32(disk)))
			disk->geometry = geometry;
	}
}
