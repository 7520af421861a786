/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The only places where our C code calls BIOS code. A BIOS may change any
 * register, so each stub sets again what C code relies on: DS = ES = SS, GS =
 * CS, DF clear, upper half of ESP zero.
 */
	.code16
	.section .text.bios, "ax"

	.macro C_INVARIANTS
	movw	%ss, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%cs, %ax
	movw	%ax, %gs
	cld
	.endm

/* Purpose:   call a software interrupt from C, as INT would
 * In:        AL = number, EDX = struct bios_regs *
 * Out:       *EDX = registers and flags after the call
 * Preserves: EBX ESI EDI EBP; not FS
 * Stack:     70 bytes, and those of the BIOS
 * Flags:     IF as before; DF clear on return
 */
	.globl	bios_call
bios_call:
	pushl	%ebx
	pushl	%esi
	pushl	%edi
	pushl	%ebp
	pushfw
	pushl	%edx			# read again after the call
	movzbl	%al, %eax
	xorl	%ecx, %ecx
	movw	%cx, %fs
	pushl	%fs:(,%eax,4)		# the vector
	movl	%edx, %ebp
	movl	0(%ebp), %edi
	movl	4(%ebp), %esi
	movl	16(%ebp), %ebx
	movl	20(%ebp), %edx
	movl	24(%ebp), %ecx
	movl	28(%ebp), %eax
	movl	8(%ebp), %ebp
	pushfw				# INT's frame: flags, then CS:IP
	cli
	lcallw	*2(%esp)
	movzwl	%sp, %esp
	pushw	$0
	pushfw				# V86 monitors may not emulate PUSHFD
	pushal
	C_INVARIANTS
	movl	40(%esp), %edi		# above PUSHAL, flags and vector
	movl	%esp, %esi
	movl	$9, %ecx
	rep movsl
	addl	$44, %esp
	popfw
	popl	%ebp
	popl	%edi
	popl	%esi
	popl	%ebx
	retw

	.section .text.bios_far, "ax"
/* Purpose:   far call of a 16-bit C function in the BIOS (PMM, PnP)
 * In:        EAX = far entry point, EDX = argument words, ECX = their number
 * Out:       EAX = the callee's DX:AX
 * Preserves: EBX ESI EDI EBP; not FS
 * Stack:     30 bytes, the words, and those of the callee
 * Flags:     IF as before; DF clear on return
 */
	.globl	bios_far_call
bios_far_call:
	pushl	%ebx
	pushl	%esi
	pushl	%edi
	pushl	%ebp
	movl	%esp, %ebp
	pushl	%eax
1:	pushw	-2(%edx,%ecx,2)		# last argument first
	decl	%ecx
	jnz	1b
	lcallw	*-4(%ebp)
	movzwl	%bp, %esp		# the caller removes the arguments
	movl	%esp, %ebp
	shll	$16, %edx
	movw	%ax, %dx
	C_INVARIANTS
	movl	%edx, %eax
	popl	%ebp
	popl	%edi
	popl	%esi
	popl	%ebx
	retw
