/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Accesses PCI configuration space through INT 1Ah [PCI-BIOS 2.1], or through
 * the ports of the host bridge on a BIOS without that.
 * An address is bus << 8 | device << 3 | function, as in AX at ROM init.
 */
#ifndef PC_PCI_H
#define PC_PCI_H

#include "pc/types.h"

#define PCI_ID 0x00 /* dword: device << 16 | vendor */
#define PCI_COMMAND 0x04
#define PCI_COMMAND_IO 0x0001u
#define PCI_COMMAND_MEMORY 0x0002u
#define PCI_COMMAND_MASTER 0x0004u
#define PCI_REVISION 0x08 /* dword: class << 8 | revision */
#define PCI_HEADER 0x0c	  /* dword: header type in 22:16 */
#define PCI_HEADER_SEVERAL 0x800000u /* the device has several functions */
#define PCI_HEADER_TYPE_MASK 0x7f0000u
#define PCI_HEADER_BRIDGE 0x010000u
#define PCI_BUSES 0x18 /* of a bridge; dword: secondary bus in 15:8 */
#define PCI_BAR0 0x10
#define PCI_BAR_IS_IO 0x1u
#define PCI_INTERRUPT 0x3c /* dword: IRQ in 7:0 */
#define PCI_SUBSYSTEM 0x2c /* dword: device << 16 | vendor */

/* Version of the PCI BIOS, such as 0210h, 0 if there is none. Sets *last_bus
 * to the highest bus number if there is one. Moves FS.
 */
u16 pci_version(u32 *last_bus);

/* May there be a function at that address? In a device that does not report
 * several functions, functions 1 to 7 may be aliases of function 0. Moves FS.
 */
bool pci_has_function(u16 address);

/* Read the dword at offset `reg` of configuration space. All ones if the BIOS
 * reports an error, or if there are neither BIOS nor ports. Moves FS.
 */
u32 pci_read32(u16 address, u8 reg);

/* Write a word of configuration space. Errors are not reported. Moves FS. */
void pci_write16(u16 address, u8 reg, u16 value);

/* The I/O address in BAR 0; 0 if the BIOS has assigned none. Moves FS. */
u16 pci_io_base(u16 address);

#endif
