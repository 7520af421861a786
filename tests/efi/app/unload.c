/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * UnloadImage(). Each controller's ROM has loaded a driver of its own. After the end of
 * the first controller's driver the other one can take it; after its end, none can.
 */
#include "checks.h"
#include "driver.h"

static struct efi_guid binding_guid = EFI_DRIVER_BINDING_PROTOCOL_GUID;
static struct efi_guid names_guid = EFI_COMPONENT_NAME2_PROTOCOL_GUID;
static struct efi_guid version_guid = EFI_DRIVER_SUPPORTED_EFI_VERSION_PROTOCOL_GUID;
static struct efi_guid image_guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
static struct efi_guid pass_thru_guid = EFI_EXT_SCSI_PASS_THRU_PROTOCOL_GUID;

void check_unload(void)
{
	u64 bindings = handles_with(&binding_guid), names = handles_with(&names_guid);
	u64 versions = handles_with(&version_guid), images = handles_with(&image_guid);
	u64 buses = handles_with(&pass_thru_guid);
	struct driver first = driver_find();

	check_status("UnloadImage", EFI_SUCCESS, boot->unload_image(first.image));
	check_equal("its binding is gone", bindings - 1, handles_with(&binding_guid));
	check_equal("its names are gone", names - 1, handles_with(&names_guid));
	check_equal("its version is gone", versions - 1, handles_with(&version_guid));
	check_equal("its image is gone", images - 1, handles_with(&image_guid));
	check_equal("its controller has no bus", buses - 1, handles_with(&pass_thru_guid));
	check_equal("the controller is free", 0, (u64)driver_find().image);

	efi_status status = driver_connect();
	check_status("another driver connects", EFI_SUCCESS, status);
	if (status)
		return;
	struct driver other = driver_find();
	check_true("it is another image", other.image && other.image != first.image);
	command_settle(ID_DISK);
	check_true("the bus works with it", disk_works(ID_DISK));
	check_status("UnloadImage of the other", EFI_SUCCESS, boot->unload_image(other.image));
	check_status("no driver is left", EFI_NOT_FOUND, driver_connect());
	check_equal("the controller is free at the end", 0, (u64)driver_find().image);
}
