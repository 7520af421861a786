/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * BuildDevicePath() and GetTargetLun() [UEFI 2.10 "SCSI Device Path"].
 */
#include "checks.h"

#define OWN_ID 7

static efi_status build(u8 id, u8 second, u64 lun, struct efi_scsi_device_path **path)
{
	u8 target[TARGET_MAX_BYTES] = {id, second};

	return BUS->build_device_path(BUS, target, lun, path);
}

/* Status of a call that must fail; a path that it returns is freed. */
static efi_status try_build(u8 id, u8 second, u64 lun)
{
	struct efi_scsi_device_path *path;
	efi_status status = build(id, second, lun, &path);

	if (!status)
		boot->free_pool(path);
	return status;
}

static void check_build(void)
{
	static const struct efi_scsi_device_path right = {
		MESSAGING_DEVICE_PATH, MSG_SCSI_DP, {8, 0}, ID_OTHER, 0};
	struct efi_scsi_device_path *path = NULL;
	u8 target[TARGET_MAX_BYTES] = {ID_OTHER};

	check_status("BuildDevicePath", EFI_SUCCESS, build(ID_OTHER, 0, 0, &path));
	check_true("its node", path && !memcmp(path, &right, sizeof(right)));
	check_status("its node is from the pool", EFI_SUCCESS, boot->free_pool(path));
	check_status("BuildDevicePath of target 16", EFI_NOT_FOUND, try_build(16, 0, 0));
	check_status("BuildDevicePath of target 255", EFI_NOT_FOUND, try_build(255, 0, 0));
	check_status("BuildDevicePath of the own ID", EFI_NOT_FOUND, try_build(OWN_ID, 0, 0));
	check_status("BuildDevicePath of a second byte", EFI_NOT_FOUND, try_build(0, 1, 0));
	check_status("BuildDevicePath of LUN 8", EFI_NOT_FOUND, try_build(0, 0, 8));
	check_status("BuildDevicePath of LUN 2^32", EFI_NOT_FOUND, try_build(0, 0, 1ull << 32));
	check_status("BuildDevicePath without a path", EFI_INVALID_PARAMETER,
		     BUS->build_device_path(BUS, target, 0, NULL));
	check_status("BuildDevicePath without a target", EFI_INVALID_PARAMETER,
		     BUS->build_device_path(BUS, NULL, 0, &path));
}

static void check_round_trip(void)
{
	static const u8 ids[] = {ID_DISK, ID_PAUSING, ID_EMPTY, ID_SLOW, ID_OTHER};
	u32 wrong = 0;

	for (u32 i = 0; i < sizeof(ids); i++) {
		u8 right[TARGET_MAX_BYTES] = {ids[i]}, got[TARGET_MAX_BYTES], *pointer = got;
		struct efi_scsi_device_path *path;
		u64 lun = 99;

		memset(got, FILL, sizeof(got));
		if (build(ids[i], 0, 0, &path) ||
		    BUS->get_target_lun(BUS, path, &pointer, &lun) || lun || pointer != got ||
		    memcmp(got, right, sizeof(right)))
			wrong = i + 1;
		else
			boot->free_pool(path);
	}
	check_each("each target and its path", wrong);
}

static efi_status get(u8 type, u8 sub_type, u8 length, u16 id, u16 lun)
{
	struct efi_scsi_device_path path = {type, sub_type, {length, 0}, id, lun};
	u8 target[TARGET_MAX_BYTES], *pointer = target;
	u64 found;

	return BUS->get_target_lun(BUS, &path, &pointer, &found);
}

static void check_get(void)
{
	static struct efi_scsi_device_path path = {
		MESSAGING_DEVICE_PATH, MSG_SCSI_DP, {8, 0}, 0, 0};
	u8 target[TARGET_MAX_BYTES], *pointer = target, *none = NULL;
	efi_status bad = EFI_INVALID_PARAMETER;
	u64 lun;

	check_status("GetTargetLun without a path", bad,
		     BUS->get_target_lun(BUS, NULL, &pointer, &lun));
	check_status("GetTargetLun without a target", bad,
		     BUS->get_target_lun(BUS, &path, NULL, &lun));
	check_status("GetTargetLun with a null target", bad,
		     BUS->get_target_lun(BUS, &path, &none, &lun));
	check_status("GetTargetLun without a LUN", bad,
		     BUS->get_target_lun(BUS, &path, &pointer, NULL));
	check_status("GetTargetLun of a node of another type", EFI_UNSUPPORTED, get(5, 2, 8, 0, 0));
	check_status("GetTargetLun of another messaging node", EFI_UNSUPPORTED, get(3, 1, 8, 0, 0));
	check_status("GetTargetLun of a node of another length", EFI_UNSUPPORTED,
		     get(3, 2, 6, 0, 0));
	check_status("GetTargetLun of target 16", EFI_NOT_FOUND, get(3, 2, 8, 16, 0));
	check_status("GetTargetLun of target 256", EFI_NOT_FOUND, get(3, 2, 8, 256, 0));
	check_status("GetTargetLun of the own ID", EFI_NOT_FOUND, get(3, 2, 8, OWN_ID, 0));
	check_status("GetTargetLun of LUN 8", EFI_NOT_FOUND, get(3, 2, 8, 0, 8));
	check_status("GetTargetLun of LUN 256", EFI_NOT_FOUND, get(3, 2, 8, 0, 256));
}

void check_paths(void)
{
	check_build();
	check_round_trip();
	check_get();
}
