/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * A substitute for an operating system that controls removable media: INT 15h
 * AH=52h records DL and returns the AH and CF that the test has set, which
 * refuse or allow the ejection. Other functions go to the previous handler.
 */
	.code16
	.globl	_start
_start:
	cmpb	$0x52, %ah
	je	1f
	ljmpw	*%cs:previous
1:	movb	%dl, %cs:recorded_dl
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
recorded_dl:	.byte	0
answer_ah: .byte 0
answer_cf: .byte 0
