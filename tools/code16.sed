# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
#
# gcc -m16 writes assembly for .code16gcc, where every CALL and RET is 32-bit. This
# script converts it to .code16. Each rule works on a single line without context.

# CALL and RET become 16-bit. No function has arguments on the stack, so only the
# size of the return address changes. LEAVE must match the 32-bit `pushl %ebp`.
s/^\t\.code16gcc$/\t.code16/
s/^\tcall\t\*%e/\tcallw\t*%/
s/^\tcall\t\*/\tcallw\t*/
s/^\tleave$/\tleavel/

# An access above FFFFh faults in real and V86 mode. A valid 32-bit address is
# therefore equal to its lower half, which needs no prefix. LEA does not access
# memory and keeps its width.
/^\tlea/!s/(%e\(bx\|si\|di\|bp\))/(%\1)/
