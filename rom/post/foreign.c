/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * No single sign is sufficient. Bus mastering is on at init on every board that
 * was traced, and registers of the chip survive a warm boot. So a driver is at
 * home only if all of these are true:
 *
 * - There is a hard disk, and a ROM or RAM handles INT 13h. A ROM that has
 *   found no disk does not use its controller.
 * - A ROM for this family of chips is in memory. One ROM may serve all chips
 *   of the family, so it need not have the device ID of our controller. A ROM
 *   for another device of the same vendor is a neighbour.
 * - The registers show that another driver has set up the chip.
 *
 * [PCI 3.0 firmware "PCI data structure"]
 */
#include "foreign.h"

#include "lsi/found.h"
#include "pc/bda.h"
#include "pc/far.h"
#include "pc/post/pci.h"
#include "rom/layout.h"

#define ROM_BEGINS 0xaa55
#define ROM_STEP (2048 / 16) /* a ROM begins on such a boundary */
#define SYSTEM_BIOS 0xf000
#define ANY_REVISION 0xff

#define ROM_PCIR_POINTER 0x18 /* word */

/* PCI data structure */
#define PCIR_SIGNATURE 0x52494350u /* "PCIR" */
#define PCIR_VENDOR 0x04
#define PCIR_DEVICE 0x06
#define PCIR_SUBCLASS 0x0e
#define PCIR_CLASS 0x0f
#define PCIR_BLOCKS 0x10 /* word: length of the image */
#define PCIR_BYTES 0x18
#define MASS_STORAGE 0x01
#define SCSI 0x00 /* subclass */

/* Offset of the PCI data structure of the ROM at FS, 0 if there is none. It
 * lies in the image, whose header may state a shorter length since init.
 */
static u32 find_pcir(void)
{
	u32 pcir = FAR16(ROM_PCIR_POINTER);
	u32 end = pcir + PCIR_BYTES;

	if (FAR16(0) != ROM_BEGINS || !FAR8(ROM_BLOCKS) ||
	    pcir < ROM_PCIR_POINTER || end > 0xffff ||
	    FAR32(pcir) != PCIR_SIGNATURE)
		return 0;
	return end <= FAR8(ROM_BLOCKS) * ROM_BLOCK_BYTES ||
			       end <= FAR16(pcir + PCIR_BLOCKS) *
					      (u32)ROM_BLOCK_BYTES
		       ? pcir
		       : 0;
}

/* Is there a foreign ROM for a chip of the family? An IDE or RAID ROM is not
 * one, even with the device ID of such a chip.
 */
static bool is_for_family(u16 segment)
{
	far_open(segment);
	u32 pcir = find_pcir();
	if (!pcir || FAR32(ROM_SIGNATURE) == ROM_OURS ||
	    FAR16(pcir + PCIR_VENDOR) != LSI_PCI_VENDOR ||
	    (FAR8(pcir + PCIR_CLASS) == MASS_STORAGE &&
	     FAR8(pcir + PCIR_SUBCLASS) != SCSI))
		return false;
	IN_ROM struct lsi_chip *chip =
		lsi_chip_find(FAR16(pcir + PCIR_DEVICE), ANY_REVISION);
	return chip && chip->features != CHIP_REFUSED;
}

static u16 find_rom(void)
{
	for (u32 at = FIRST_ROM_SEGMENT; at < SYSTEM_BIOS; at += ROM_STEP)
		if (is_for_family((u16)at))
			return (u16)at;
	return 0;
}

/* A driver needs I/O ports: without them there is none. */
static bool chip_is_in_use(u16 pci_address, IN_ROM struct lsi_chip *chip)
{
	u16 io = pci_io_base(pci_address);

	return io && pci_read32(pci_address, PCI_COMMAND) & PCI_COMMAND_IO &&
	       lsi_found_in_use(io, chip);
}

u16 foreign_driver(u16 pci_address, IN_ROM struct lsi_chip *chip)
{
	bda_open();
	if (!FAR8(BDA_HARD_DISK_COUNT) ||
	    FAR16(IVT_INT13 + 2) >= SYSTEM_BIOS)
		return 0;
	u16 rom = find_rom();
	return rom && chip_is_in_use(pci_address, chip) ? rom : 0;
}
