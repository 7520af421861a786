/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * PCI configuration space through INT 1Ah [PCI-BIOS 2.1].
 * An address is bus << 8 | device << 3 | function, as in AX at ROM init.
 */
#ifndef PC_PCI_H
#define PC_PCI_H

#include "types.h"

#define PCI_ID 0x00 /* dword: device << 16 | vendor */
#define PCI_COMMAND 0x04
#define PCI_COMMAND_IO 0x0001u
#define PCI_COMMAND_MEMORY 0x0002u
#define PCI_COMMAND_MASTER 0x0004u
#define PCI_BAR0 0x10
#define PCI_BAR_IS_IO 0x1u
#define PCI_SUBSYSTEM 0x2c /* dword: device << 16 | vendor */

/* True if the BIOS answers PCI BIOS calls. */
bool pci_present(void);

/* A register of configuration space; all ones if the BIOS refuses. */
u32 pci_read32(u16 address, u8 reg);

void pci_write16(u16 address, u8 reg, u16 value);

/* Find the index-th device with this ID (device << 16 | vendor). False if there are not so many. */
bool pci_find(u32 id, u16 index, u16 *address);

#endif
