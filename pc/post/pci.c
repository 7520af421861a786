/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Calls the PCI BIOS [PCI-BIOS 2.1 "Function list"].
 */
#include "pci.h"

#include "pc/bios.h"

#define PCI_BIOS_PRESENT 0xb101
#define PCI_READ_DWORD 0xb10a
#define PCI_WRITE_WORD 0xb10c
#define PCI_SIGNATURE 0x20494350u /* "PCI " in EDX */

static bool pci_call(u16 function, struct bios_regs *regs)
{
	regs->eax = function;
	bios_call(0x1a, regs);
	return !(regs->flags & FLAGS_CF) && (regs->eax & 0xff00) == 0;
}

u16 pci_version(u32 *last_bus)
{
	struct bios_regs regs = {0};

	if (!pci_call(PCI_BIOS_PRESENT, &regs) || regs.edx != PCI_SIGNATURE)
		return 0;
	*last_bus = regs.ecx & 0xff;
	return (u16)regs.ebx;
}

u32 pci_read32(u16 address, u8 reg)
{
	struct bios_regs regs = {.ebx = address, .edi = reg};

	return pci_call(PCI_READ_DWORD, &regs) ? regs.ecx : 0xffffffff;
}

void pci_write16(u16 address, u8 reg, u16 value)
{
	struct bios_regs regs = {.ebx = address, .edi = reg, .ecx = value};

	/* After a failed write, the device does not respond later. */
	(void)pci_call(PCI_WRITE_WORD, &regs);
}

bool pci_has_function(u16 address)
{
	u32 header;

	if (!(address & 7))
		return true;
	header = pci_read32((u16)(address & ~7u), PCI_HEADER);
	return header != 0xffffffff && header & PCI_HEADER_SEVERAL;
}
