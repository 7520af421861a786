/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * A stand-in for an operating system that watches removable media: INT 15h
 * AH=52h writes down DL and refuses or allows the ejection, as AH and CF in
 * the answer say. Anything else goes to the handler before.
 */
	.code16
	.globl	_start
_start:
	cmpb	$0x52, %ah
	je	1f
	ljmpw	*%cs:previous
1:	movb	%dl, %cs:asked
	movb	%cs:answer_ah, %ah
	pushw	%bp
	movw	%sp, %bp
	andb	$0xfe, 6(%bp)
	cmpb	$0, %cs:answer_cf
	je	2f
	orb	$1, 6(%bp)
2:	popw	%bp
	iretw
	.org	0x80
previous: .long	0
asked:	.byte	0
answer_ah: .byte 0
answer_cf: .byte 0
