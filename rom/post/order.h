/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The boot order of drives.
 */
#ifndef ROM_POST_ORDER_H
#define ROM_POST_ORDER_H

/* Bring drives and boot entries into boot order: by the host, then the user's boot drives,
 * then in the order of the scan. If only the drive to boot may be removable, the other
 * removable disks are taken out. Sets workspace.cd_leads.
 */
void order_drives(void);

#endif
