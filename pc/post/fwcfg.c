/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Accesses fw_cfg through its I/O ports [QEMU docs/specs/fw_cfg]. The ports
 * are used only if the host bridge has QEMU's subsystem ID, as another device
 * may have them on a real machine.
 */
#include "fwcfg.h"

#include "pc/port.h"
#include "pci.h"

#define QEMU_SUBSYSTEM 0x11001af4u /* 1af4:1100 */

#define FWCFG_SELECT 0x510
#define FWCFG_DATA 0x511
#define FWCFG_KEY_SIGNATURE 0x0000
#define FWCFG_KEY_DIRECTORY 0x0019
#define FWCFG_NAME_BYTES 56
#define FWCFG_MAX_FILES 1024

bool fwcfg_present(void)
{
	ROM_CONST char signature[] = "QEMU";

	if (pci_read32(0, PCI_SUBSYSTEM) != QEMU_SUBSYSTEM)
		return false;
	outw(FWCFG_SELECT, FWCFG_KEY_SIGNATURE);
	for (u32 i = 0; i < 4; i++)
		if (fwcfg_byte() != signature[i])
			return false;
	return true;
}

u8 fwcfg_byte(void)
{
	return inb(FWCFG_DATA);
}

/* Read a number of the directory: these are big-endian. */
static u32 fwcfg_be(u32 bytes)
{
	u32 value = 0;

	while (bytes--)
		value = value << 8 | fwcfg_byte();
	return value;
}

/* Is `found`, a name in the directory, folder and name together? */
static bool same_name(const char *found, char IN_ROM *folder,
		      char IN_ROM *name)
{
	for (u32 i = 0; i < FWCFG_NAME_BYTES; i++) {
		char wanted = *folder ? *folder++ : *name++;
		if (found[i] != wanted)
			return false;
		if (!wanted)
			return true;
	}
	return true;
}

void fwcfg_find(char IN_ROM *folder, struct fwcfg_wanted *wanted,
		u32 count)
{
	char name[FWCFG_NAME_BYTES];

	for (u32 i = 0; i < count; i++)
		wanted[i].file = (struct fwcfg_file){0};
	outw(FWCFG_SELECT, FWCFG_KEY_DIRECTORY);
	u32 files = fwcfg_be(4);
	if (files > FWCFG_MAX_FILES)
		files = 0;
	while (files--) {
		u32 bytes = fwcfg_be(4);
		u16 key = (u16)fwcfg_be(2);
		(void)fwcfg_be(2); /* reserved */
		for (u32 i = 0; i < FWCFG_NAME_BYTES; i++)
			name[i] = (char)fwcfg_byte();
		for (u32 i = 0; i < count; i++)
			if (!wanted[i].file.key &&
			    same_name(name, folder, wanted[i].name))
				wanted[i].file = (struct fwcfg_file){bytes, key};
	}
}

u32 fwcfg_open(const struct fwcfg_file *file)
{
	if (!file->key)
		return 0;
	outw(FWCFG_SELECT, file->key);
	return file->bytes;
}
