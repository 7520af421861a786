# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
#
# gcc -m16 writes assembly for .code16gcc, where every CALL and RET is 32-bit. This
# makes it .code16. Each rule looks at one line and needs nothing else.

# CALL and RET become 16-bit. No function takes arguments on the stack, so only
# the return address is narrower; LEAVE has to restore what `pushl %ebp` saved.
s/^\t\.code16gcc$/\t.code16/
s/^\tcall\t\*%e/\tcallw\t*%/
s/^\tcall\t\*/\tcallw\t*/
s/^\tleave$/\tleavel/

# An access above FFFFh faults in real and V86 mode, so a 32-bit address that
# works equals its lower half, which needs no prefix. LEA computes and does not
# access memory: it keeps its width.
/^\tlea/!s/(%e\(bx\|si\|di\|bp\))/(%\1)/
