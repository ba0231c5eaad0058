#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the compiler and the linker were told to do against exploits is in the program.
. "$(dirname "$0")/lib.sh"

PROGRAM=$ROOT/build/tcpguard
command -v readelf > /dev/null || skip_all "no readelf (Debian package binutils)"

shows() { # PATTERN READELF-OPTION...
	local pattern=$1

	shift
	readelf -W "$@" "$PROGRAM" > "$WORK/elf" 2>&1
	grep -qE -e "$pattern" "$WORK/elf"
}

shows_not() {
	! shows "$@" || {
		grep -E -e "$1" "$WORK/elf"
		return 1
	}
}

check "position independent" shows 'Type:.*DYN' -h
check "relocations are read-only after loading" shows GNU_RELRO -l
check "all of them at once" shows 'NOW' -d
check "no executable stack" shows 'GNU_STACK.* RW +0x' -l
check "nothing is writable and executable" shows_not 'LOAD.* RWE ' -l
check "no search path for libraries" shows_not 'RPATH|RUNPATH' -d
check "no relocations in the text" shows_not TEXTREL -d
check "stack protector" shows __stack_chk_fail --dyn-syms
check "checked copies of the C library's functions" shows '__snprintf_chk|__vsnprintf_chk|__memcpy_chk' --dyn-syms

# The compiler writes what it was told into the debugging information.
readelf -W --debug-dump=info "$PROGRAM" > "$WORK/info" 2> /dev/null
grep -F DW_AT_producer "$WORK/info" > "$WORK/producers" || true
if grep -q 'GNU C.* -f' "$WORK/producers"; then
	check "stack clash protection" grep -q -e -fstack-clash-protection "$WORK/producers"
	check "variables begin as zero" grep -q -e -ftrivial-auto-var-init=zero "$WORK/producers"
else
	skip_case "stack clash protection" "no debugging information of gcc in the program"
fi
# By object: the C library's own start files of Debian 12 have no such note, so the program has none.
if [ "$(uname -m)" = x86_64 ]; then
	PROGRAM=$ROOT/build/daemon/main.o
	check "control-flow protection" shows 'x86 feature:.*IBT.*SHSTK' -n
else
	skip_case "control-flow protection" "x86-64 only"
fi
