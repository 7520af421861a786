/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * All POST messages in one place.
 */
#include "banner.h"

#include "pc/console.h"

static void print(const struct text *text)
{
	console_bytes(text->bytes, text->length);
}

static void text_pci_address(struct text *text, u16 pci_address)
{
	text_hex(text, pci_address >> 8, 2);
	text_char(text, ':');
	text_hex(text, pci_address >> 3 & 31, 2);
	text_char(text, '.');
	text_hex(text, pci_address & 7, 1);
}

void banner_unit(struct text *text, struct scsi_device device,
		 const struct scsi_inquiry *inquiry)
{
	text_rom(text, ROM_STRING("ID "));
	text_decimal(text, device.target);
	text_rom(text, ROM_STRING(" LUN "));
	text_decimal(text, device.lun);
	text_char(text, ' ');
	text_field(text, inquiry->vendor, sizeof(inquiry->vendor));
	text_char(text, ' ');
	text_field(text, inquiry->product, sizeof(inquiry->product));
}

void banner_begin(void)
{
	console_rom(ROM_STRING("lsi8xx-rom " VERSION ": "));
}

void banner_chip_name(struct text *text, const struct lsi_chip __seg_gs *chip,
		      u16 pci_address)
{
	text_rom(text, ROM_STRING("53C"));
	text_rom(text, chip->name);
	text_rom(text, ROM_STRING(" at PCI "));
	text_pci_address(text, pci_address);
}

void banner_chip(const struct lsi_chip __seg_gs *chip, u16 pci_address)
{
	struct text text = {0};

	banner_chip_name(&text, chip, pci_address);
	print(&text);
}

void banner_host_id(u8 id, bool offers_cd, bool offers_setup)
{
	struct text text = {0};

	text_rom(&text, ROM_STRING(", host ID "));
	text_decimal(&text, id);
	if (offers_cd)
		text_rom(&text, ROM_STRING(", C: CD first"));
	if (offers_setup)
		text_rom(&text, ROM_STRING(", S: set-up"));
	print(&text);
}

/* Append "2 disks", or "no disk" for 0. */
static void text_count(struct text *text, u32 count, char IN_ROM *what)
{
	if (count)
		text_decimal(text, count);
	else
		text_rom(text, ROM_STRING("no"));
	text_char(text, ' ');
	text_rom(text, what);
	if (count > 1)
		text_char(text, 's');
}

void banner_count(u32 disks, u32 cds, bool lines)
{
	struct text text = {0};

	if (lines)
		console_newline();
	text_rom(&text, lines ? ROM_STRING("  ") : ROM_STRING(", "));
	text_count(&text, disks, ROM_STRING("disk"));
	if (cds) {
		text_rom(&text, ROM_STRING(", "));
		text_count(&text, cds, ROM_STRING("CD"));
	}
	print(&text);
	console_newline();
}

void banner_end(char IN_ROM *words)
{
	console_rom(words);
	console_newline();
}

void banner_failure(struct scsi_device device,
		    const struct scsi_inquiry *inquiry)
{
	struct text text = {0};

	text_rom(&text, ROM_STRING("  "));
	banner_unit(&text, device, inquiry);
	text_rom(&text, ROM_STRING(": "));
	console_newline(); /* end the line of the controller or of another unit */
	print(&text);
}

void banner_reason(char IN_ROM *reason, u32 number)
{
	for (; *reason; reason++) {
		if (*reason == '#') {
			console_decimal(number);
		} else if (*reason == '$') {
			console_hex8((u8)(number >> 8));
			console_hex8((u8)number);
		} else {
			console_char(*reason);
		}
	}
}

char IN_ROM *banner_words(enum scsi_result result)
{
	switch (result) {
	case SCSI_OK:
		break;
	case SCSI_NO_TARGET:
		return ROM_STRING("does not answer");
	case SCSI_TIMEOUT:
		return ROM_STRING("timed out");
	case SCSI_BUS_ERROR:
		return ROM_STRING("bus error");
	case SCSI_SHORT_DATA:
	case SCSI_OVERRUN:
		return ROM_STRING("wrong data length");
	case SCSI_BUSY:
		return ROM_STRING("busy");
	case SCSI_RESERVED:
		return ROM_STRING("reserved by another host");
	case SCSI_NOT_READY:
		return ROM_STRING("not ready");
	case SCSI_NO_MEDIUM:
		return ROM_STRING("no medium");
	case SCSI_MEDIUM_ERROR:
		return ROM_STRING("medium error");
	case SCSI_BLANK:
		return ROM_STRING("blank disc");
	case SCSI_WRONG_TRACK:
		return ROM_STRING("audio disc");
	case SCSI_BAD_MEDIUM:
		return ROM_STRING("unknown medium type");
	case SCSI_HARDWARE_ERROR:
		return ROM_STRING("hardware error");
	case SCSI_BAD_BLOCKS:
		return ROM_STRING("blocks of # bytes are not supported");
	case SCSI_SENSE_FAILED:
	case SCSI_ILLEGAL_REQUEST:
	case SCSI_LBA_OUT_OF_RANGE:
	case SCSI_MEDIUM_CHANGED:
	case SCSI_ATTENTION:
	case SCSI_WRITE_PROTECTED:
	case SCSI_ABORTED:
		return ROM_STRING("command failed");
	}
	return ROM_STRING("ready");
}

void banner_controller(struct text *text, u16 pci_address)
{
	text_rom(text, ROM_STRING("SCSI "));
	text_pci_address(text, pci_address);
	text_char(text, ' ');
}
