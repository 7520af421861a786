/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * GetNextTarget() and GetNextTargetLun() return the targets that exist, in the order
 * of their IDs.
 */
#include "checks.h"

#define MOST 16
#define LUN_FILL 0xa5a5a5a5a5a5a5a5u

static const u8 expected[] = {ID_DISK, ID_PAUSING, ID_EMPTY, ID_SLOW, ID_OTHER};

/* Targets as found: a list that ends with a status */
struct found {
	u32 count;
	u8 ids[MOST];
	bool other_bytes; /* in Target, or a LUN that is not 0 */
	efi_status end;
};

static void find(struct found *found, bool with_lun)
{
	u8 target[TARGET_MAX_BYTES], *pointer = target;
	u64 lun = LUN_FILL;

	memset(found, 0, sizeof(*found));
	memset(target, 0xff, sizeof(target));
	while (found->count < MOST) {
		found->end = with_lun ? BUS->get_next_target_lun(BUS, &pointer, &lun)
				      : BUS->get_next_target(BUS, &pointer);
		if (found->end)
			return;
		found->ids[found->count++] = target[0];
		for (u32 i = 1; i < TARGET_MAX_BYTES; i++)
			found->other_bytes |= target[i] != 0;
		found->other_bytes |= pointer != target || (with_lun && lun);
	}
}

static bool is_complete(const struct found *found)
{
	return found->count == sizeof(expected) &&
	       !memcmp(found->ids, expected, sizeof(expected));
}

static void check_lists(void)
{
	struct found found;

	find(&found, false);
	check_true("GetNextTarget returns each target in order", is_complete(&found));
	check_true("GetNextTarget leaves bytes 1 to 15 zero", !found.other_bytes);
	check_status("GetNextTarget after the last", EFI_NOT_FOUND, found.end);
	find(&found, false);
	check_true("GetNextTarget starts again", is_complete(&found));
	find(&found, true);
	check_true("GetNextTargetLun returns each target in order", is_complete(&found));
	check_true("GetNextTargetLun returns LUN 0 of each", !found.other_bytes);
	check_status("GetNextTargetLun after the last", EFI_NOT_FOUND, found.end);
	find(&found, true);
	check_true("GetNextTargetLun starts again", is_complete(&found));
}

/* From any target that has been returned, the next one follows. */
static void check_middle(void)
{
	u8 target[TARGET_MAX_BYTES] = {ID_DISK}, *pointer = target;
	u64 lun = 0;

	check_status("GetNextTarget from target 0", EFI_SUCCESS,
		     BUS->get_next_target(BUS, &pointer));
	check_equal("the target after 0", ID_PAUSING, target[0]);
	target[0] = ID_SLOW;
	check_status("GetNextTargetLun from target 3", EFI_SUCCESS,
		     BUS->get_next_target_lun(BUS, &pointer, &lun));
	check_equal("the target after 3", ID_OTHER, target[0]);
}

static efi_status next(u8 id, u8 other)
{
	u8 target[TARGET_MAX_BYTES] = {id}, *pointer = target;

	memset(target + 1, other, sizeof(target) - 1);
	return BUS->get_next_target(BUS, &pointer);
}

static efi_status next_lun(u8 id, u8 other, u64 lun)
{
	u8 target[TARGET_MAX_BYTES] = {id}, *pointer = target;

	memset(target + 1, other, sizeof(target) - 1);
	return BUS->get_next_target_lun(BUS, &pointer, &lun);
}

static void check_bad(void)
{
	u8 target[TARGET_MAX_BYTES] = {ID_DISK}, *pointer = target, *none = NULL;
	u64 lun = 0;
	efi_status bad = EFI_INVALID_PARAMETER;

	check_status("GetNextTarget from an absent target", bad, next(ID_ABSENT, 0));
	check_status("GetNextTarget from target 16", bad, next(16, 0));
	check_status("GetNextTarget from target 255", bad, next(255, 0));
	check_status("GetNextTarget from 0 and FFh bytes", bad, next(0, 0xff));
	check_status("GetNextTarget without a target", bad, BUS->get_next_target(BUS, NULL));
	check_status("GetNextTarget with a null target", bad, BUS->get_next_target(BUS, &none));

	check_status("GetNextTargetLun from an absent target", bad, next_lun(ID_ABSENT, 0, 0));
	check_status("GetNextTargetLun from target 16", bad, next_lun(16, 0, 0));
	check_status("GetNextTargetLun from 0 and FFh bytes", bad, next_lun(0, 0xff, 0));
	check_status("GetNextTargetLun from an absent LUN", bad, next_lun(ID_DISK, 0, 5));
	check_status("GetNextTargetLun from LUN 2^32", bad, next_lun(ID_DISK, 0, 1ull << 32));
	check_status("GetNextTargetLun without a target", bad,
		     BUS->get_next_target_lun(BUS, NULL, &lun));
	check_status("GetNextTargetLun with a null target", bad,
		     BUS->get_next_target_lun(BUS, &none, &lun));
	check_status("GetNextTargetLun without a LUN", bad,
		     BUS->get_next_target_lun(BUS, &pointer, NULL));
}

void check_iteration(void)
{
	check_lists();
	check_middle();
	check_bad();
	check_true("the bus works afterwards", disk_works(ID_DISK));
}
