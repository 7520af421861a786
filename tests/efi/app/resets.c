/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * ResetChannel() and ResetTargetLun(). A target that has been reset reports a unit
 * attention with its next command [SCSI-2 "Unit attention condition"].
 */
#include "checks.h"

#define OWN_ID 7
#define UNIT_ATTENTION 6
#define WAS_RESET 0x29

static efi_status reset(u8 id, u8 second, u64 lun)
{
	u8 target[TARGET_MAX_BYTES] = {id, second};

	return BUS->reset_target_lun(BUS, target, lun);
}

/* Sense key and additional code of TEST UNIT READY; 0 if the target is ready */
static u32 attention(u8 id)
{
	struct command c;

	command_ready(&c);
	command_send(&c, id);
	if (c.status)
		return ~0u;
	return c.packet.target_status ? (c.sense[2] & 0x0fu) << 8 | c.sense[12] : 0;
}

static void check_channel(void)
{
	check_status("ResetChannel", EFI_SUCCESS, BUS->reset_channel(BUS));
	check_equal("unit attention of target 0", UNIT_ATTENTION << 8 | WAS_RESET, attention(ID_DISK));
	check_equal("target 0 is ready then", 0, attention(ID_DISK));
	check_equal("unit attention of target 6", UNIT_ATTENTION << 8 | WAS_RESET,
		    attention(ID_OTHER));
	check_true("target 6 works then", disk_works(ID_OTHER));
	command_settle(ID_SLOW);
	command_settle(ID_EMPTY);
}

/* QEMU's disks report no unit attention after BUS DEVICE RESET. */
static void check_target(void)
{
	check_status("ResetTargetLun of target 0", EFI_SUCCESS, reset(ID_DISK, 0, 0));
	check_equal("target 6 is not reset", 0, attention(ID_OTHER));
	check_equal("target 3 is not reset", 0, attention(ID_SLOW));
	check_true("target 0 works then", disk_works(ID_DISK));
	check_status("ResetTargetLun of an absent target", EFI_TIMEOUT, reset(ID_ABSENT, 0, 0));
	check_true("target 0 works after it", disk_works(ID_DISK));
}

static void check_bad(void)
{
	efi_status bad = EFI_INVALID_PARAMETER;

	check_status("ResetTargetLun of target 16", bad, reset(16, 0, 0));
	check_status("ResetTargetLun of target 255", bad, reset(255, 0, 0));
	check_status("ResetTargetLun of the own ID", bad, reset(OWN_ID, 0, 0));
	check_status("ResetTargetLun of a second byte", bad, reset(0, 1, 0));
	check_status("ResetTargetLun of LUN 8", bad, reset(0, 0, 8));
	check_status("ResetTargetLun of LUN 2^32", bad, reset(0, 0, 1ull << 32));
	check_status("ResetTargetLun without a target", bad, BUS->reset_target_lun(BUS, NULL, 0));
	check_equal("no target is reset then", 0, attention(ID_DISK));
}

void check_resets(void)
{
	check_channel();
	check_target();
	check_bad();
}
