/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * EFI_COMPONENT_NAME2_PROTOCOL and EFI_DRIVER_SUPPORTED_EFI_VERSION_PROTOCOL
 * [UEFI 2.10 "EFI Component Name Protocol", "EFI Driver Supported EFI Version Protocol"].
 */
#include "checks.h"
#include "driver.h"

static struct efi_guid names_guid = EFI_COMPONENT_NAME2_PROTOCOL_GUID;
static struct efi_guid version_guid = EFI_DRIVER_SUPPORTED_EFI_VERSION_PROTOCOL_GUID;

static efi_char16 *name;

static void check_driver_name(struct efi_component_name2 *names)
{
	efi_status bad = EFI_INVALID_PARAMETER;

	check_true("English is supported",
		   names->supported_languages[0] == 'e' && names->supported_languages[1] == 'n');
	name = NULL;
	check_status("the driver's name", EFI_SUCCESS, names->get_driver_name(names, "en", &name));
	check_true("the driver's name has text", name && *name);
	check_status("the driver's name in German", EFI_UNSUPPORTED,
		     names->get_driver_name(names, "de", &name));
	check_status("the driver's name in an unknown language", EFI_UNSUPPORTED,
		     names->get_driver_name(names, "eng", &name));
	check_status("the driver's name without a language", bad,
		     names->get_driver_name(names, NULL, &name));
	check_status("the driver's name without a place for it", bad,
		     names->get_driver_name(names, "en", NULL));
}

static efi_status controller_name(struct efi_component_name2 *names, efi_handle controller,
				  efi_handle child, const char *language)
{
	name = NULL;
	return names->get_controller_name(names, controller, child, language, &name);
}

static void check_controller_name(struct efi_component_name2 *names)
{
	efi_handle controller = controllers[0].handle, child = driver_child();
	efi_status bad = EFI_INVALID_PARAMETER;

	check_status("the controller's name", EFI_SUCCESS,
		     controller_name(names, controller, NULL, "en"));
	check_true("the controller's name has text", name && *name);
	check_status("the name of a controller of another driver", EFI_UNSUPPORTED,
		     controller_name(names, controllers[1].handle, NULL, "en"));
	check_status("the controller's name in German", EFI_UNSUPPORTED,
		     controller_name(names, controller, NULL, "de"));
	check_status("the controller's name without a language", bad,
		     controller_name(names, controller, NULL, NULL));
	check_status("the name of no controller", bad, controller_name(names, NULL, NULL, "en"));
	check_status("the controller's name without a place for it", bad,
		     names->get_controller_name(names, controller, NULL, "en", NULL));
	check_status("the name of another controller", EFI_UNSUPPORTED,
		     controller_name(names, foreign_controller, NULL, "en"));
	check_true("the controller has a child", child != NULL);
	check_status("the name of a child", EFI_UNSUPPORTED,
		     controller_name(names, controller, child, "en"));
}

static void check_free_controller(struct efi_component_name2 *names)
{
	driver_disconnect();
	check_status("the name of a controller that is free", EFI_UNSUPPORTED,
		     controller_name(names, controllers[0].handle, NULL, "en"));
	driver_connect();
}

/* The version is that of UEFI: 2.x in the upper and lower half [UEFI 2.10 "EFI System
 * Table"]; from 2.3 on, the lower half is ten times the second and third number.
 */
static void check_version(struct driver driver)
{
	struct efi_driver_supported_efi_version *version = NULL;

	check_status("the image has the version protocol", EFI_SUCCESS,
		     boot->handle_protocol(driver.image, &version_guid, (void **)&version));
	if (!version)
		return;
	check_equal("length of the version protocol", 8, version->length);
	check_equal("first number of the UEFI version", 2, version->firmware_version >> 16);
	check_true("the rest of the UEFI version", (version->firmware_version & 0xffff) <= 110);
}

void check_names(void)
{
	struct driver driver = driver_find();
	struct efi_component_name2 *names = NULL;

	check_status("the driver has names", EFI_SUCCESS,
		     boot->handle_protocol(driver.handle, &names_guid, (void **)&names));
	if (!names)
		return;
	check_driver_name(names);
	check_controller_name(names);
	check_free_controller(names);
	check_version(driver);
}
