/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * What the steps of POST share.
 */
#ifndef ROM_INIT_H
#define ROM_INIT_H

#include "rom/workspace.h"

#define WORKSPACE_KIB (WORKSPACE_BYTES / 1024)
#define BLOCK_BUFFER_KIB (BLOCK_BUFFER_BYTES / 1024)

/* Offset in the workspace's segment */
#define FIELD(member) (STACK_BYTES + offsetof(struct workspace, member))

/* I/O base of the controller's operating registers with all access enabled; 0 if
 * the BIOS has not given it one. For the BIOS's stack.
 */
u16 init_enable(u16 pci_address);

/* Can we rely on it that the BIOS calls boot entries? */
bool init_bios_has_bbs(void);

#endif
