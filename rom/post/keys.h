/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Keys that the user has pressed during POST.
 */
#ifndef ROM_KEYS_H
#define ROM_KEYS_H

#include "pc/types.h"

#define KEY_CTRL_C '\3'

/* If the next key in the BIOS's keyboard buffer is that letter ('A' to 'Z'; the
 * user may type it in either case) or KEY_CTRL_C, remove it and return true. Any other key
 * stays for the BIOS. Does not wait. Runs on our stack or the BIOS's. Moves FS.
 */
bool keys_take(char letter);

/* The same for all of a key that is held down. Moves FS. */
bool keys_take_all(char letter);

/* Let the BIOS take keys from the keyboard. Seen: SeaBIOS calls ROMs with interrupts closed,
 * and opens them in this call of INT 16h, but not when it is asked for a key. Moves FS.
 */
void keys_let_in(void);

#endif
