/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The driver as a whole: what its files share.
 */
#ifndef EFI_DRIVER_H
#define EFI_DRIVER_H

#include "efi/protocols.h"

/* Set once, at the entry of the driver */
extern struct efi_boot_services *boot;
extern efi_handle driver_handle; /* of the image and of its driver binding */

/* The driver binding protocol (binding.c) and the names (names.c) */
extern struct efi_driver_binding driver_binding;
extern struct efi_component_name2 component_name2;

#endif
