/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The driver that manages the first controller, found by its open protocols (driver.c).
 */
#ifndef TESTS_EFI_DRIVER_H
#define TESTS_EFI_DRIVER_H

#include "app.h"

#pragma GCC visibility push(hidden)

struct driver {
	efi_handle image;   /* NULL: no driver manages it */
	efi_handle handle;  /* of its binding protocol */
	struct efi_driver_binding *binding;
};

struct driver driver_find(void);

/* Number of handles with a protocol; all handles, if it is NULL */
u64 handles_with(const struct efi_guid *protocol);

/* A child of the first controller, or NULL */
efi_handle driver_child(void);

/* Disconnect the first controller, or connect it again and find its new protocol. */
efi_status driver_disconnect(void);
efi_status driver_connect(void);

#pragma GCC visibility pop
#endif
