/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Targets that do not answer the selection, and logical units that do not exist.
 */
#include "checks.h"

#define UNKNOWN_UNIT 0x7f /* first byte of INQUIRY data [SCSI-2 "INQUIRY command"] */
#define ILLEGAL_REQUEST 5
#define BAD_UNIT 0x25
#define PCI_DEVICE_ID 2
#define LSI_53C810 0x0001

static const struct ending no_target = {EFI_TIMEOUT,
					EFI_EXT_SCSI_STATUS_HOST_ADAPTER_SELECTION_TIMEOUT,
					TARGET_GOOD, 0};

/* A narrow bus has no target 8; on a wide one there could be one. */
static void check_wide(void)
{
	struct efi_pci_io *pci = controllers[0].pci;
	struct command c;
	u16 device = 0;

	pci->pci.read(pci, PCI_IO_UINT16, PCI_DEVICE_ID, 1, &device);
	command_ready(&c);
	command_send(&c, 8);
	check_status("target 8", device == LSI_53C810 ? EFI_INVALID_PARAMETER : EFI_TIMEOUT,
		     c.status);
}

void check_absent(void)
{
	static u8 data[36];
	struct command c;

	memset(data, FILL, sizeof(data));
	command_inquiry(&c, data, sizeof(data));
	command_send(&c, ID_ABSENT);
	check_ending("a target that does not exist", no_target, &c);
	check_equal("its buffer is unchanged", sizeof(data), memory_filled(data, sizeof(data)));
	check_equal("its SenseDataLength", 0, c.packet.sense_data_length);
	command_write(&c, 0, 0, NULL, 0);
	command_send(&c, ID_ABSENT);
	check_ending("a command without data", no_target, &c);
	check_true("another target afterwards", disk_works(ID_DISK));
	command_inquiry(&c, data, sizeof(data));
	command_send_to(&c, BUS, ID_ABSENT, 3);
	check_ending("a unit of a target that does not exist", no_target, &c);

	command_inquiry(&c, data, sizeof(data));
	command_send_to(&c, BUS, ID_DISK, 1);
	check_ending("INQUIRY of a unit that does not exist", ENDS_WELL(36), &c);
	check_equal("its peripheral qualifier", UNKNOWN_UNIT, data[0]);
	command_ready(&c);
	command_send_to(&c, BUS, ID_DISK, 7);
	check_ending("TEST UNIT READY of a unit that does not exist",
		     (struct ending){EFI_SUCCESS, HOST_OK, TARGET_CHECK_CONDITION, 0}, &c);
	check_equal("its sense key", ILLEGAL_REQUEST, c.sense[2] & 0x0f);
	check_equal("its additional sense code", BAD_UNIT, c.sense[12]);
	check_true("LUN 0 afterwards", disk_works(ID_DISK));
	check_wide();
}
