/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The memory of POST in the ROM image that init runs in.
 */
#include "state.h"

struct post_state __seg_gs post __attribute__((section(".post.state"))) = {0};
