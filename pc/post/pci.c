/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Calls the PCI BIOS [PCI-BIOS 2.1 "Function list"], or accesses the ports of
 * the host bridge if there is none [PCI 2.1 "Configuration mechanism #1"].
 */
#include "pci.h"

#include "pc/bios.h"
#include "pc/port.h"

#define PCI_BIOS_PRESENT 0xb101
#define PCI_READ_DWORD 0xb10a
#define PCI_WRITE_WORD 0xb10c
#define PCI_SIGNATURE 0x20494350u /* "PCI " in EDX */

#define CONFIG_ADDRESS 0xcf8 /* accessed as a dword only */
#define CONFIG_DATA 0xcfc
#define CONFIG_ENABLE 0x80000000u

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

/* Is there no PCI BIOS, but a host bridge with mechanism 1? Its address port
 * keeps bit 31. Otherwise the port may belong to another device, so its value
 * is restored.
 */
static bool has_ports_only(void)
{
	u32 last_bus;

	if (pci_version(&last_bus))
		return false;
	u32 before = inl(CONFIG_ADDRESS);
	outl(CONFIG_ADDRESS, CONFIG_ENABLE);
	bool kept = inl(CONFIG_ADDRESS) == CONFIG_ENABLE;
	outl(CONFIG_ADDRESS, before);
	return kept;
}

static void select(u16 address, u8 reg)
{
	outl(CONFIG_ADDRESS, CONFIG_ENABLE | (u32)address << 8 | (reg & ~3u));
}

u32 pci_read32(u16 address, u8 reg)
{
	struct bios_regs regs = {.ebx = address, .edi = reg};

	if (pci_call(PCI_READ_DWORD, &regs))
		return regs.ecx;
	if (!has_ports_only())
		return 0xffffffff;
	select(address, reg);
	return inl(CONFIG_DATA);
}

void pci_write16(u16 address, u8 reg, u16 value)
{
	struct bios_regs regs = {.ebx = address, .edi = reg, .ecx = value};

	/* After a failed write, the device does not respond later. */
	if (pci_call(PCI_WRITE_WORD, &regs) || !has_ports_only())
		return;
	select(address, reg);
	outw((u16)(CONFIG_DATA + (reg & 2)), value);
}

u16 pci_io_base(u16 address)
{
	u32 bar = pci_read32(address, PCI_BAR0);

	if (!(bar & PCI_BAR_IS_IO) || bar < 4 || bar > 0xffff)
		return 0;
	return (u16)(bar & ~3u);
}

bool pci_has_function(u16 address)
{
	u32 header;

	if (!(address & 7))
		return true;
	header = pci_read32((u16)(address & ~7u), PCI_HEADER);
	return header != 0xffffffff && header & PCI_HEADER_SEVERAL;
}
