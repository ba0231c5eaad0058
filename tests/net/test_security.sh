#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What an unprivileged user of the machine can read or change: nothing; what hostile files and what
# somebody laid in the way can do: be refused.
. "$(dirname "$0")/lib.sh"

OK=0 USAGE=2 PERMISSION=4
NOBODY=65534

topology_pair
[ "${TG_SANITIZED-}" != valgrind ] || skip_all "valgrind runs a script that others cannot read"
install -m 755 "$TCPGUARD" /run/tcpguard # where everybody can reach it
PINS=/sys/fs/bpf/tcpguard

nobody() {
	setpriv --reuid $NOBODY --regid $NOBODY --clear-groups -- "$@"
}

# answers EXIT_CODE PATTERN COMMAND...
answers() {
	local want=$1 pattern=$2 code=0

	shift 2
	"$@" > "$WORK/answer" 2>&1 < /dev/null || code=$?
	cat "$WORK/answer"
	equal $code "$want" && grep -qE -e "$pattern" "$WORK/answer"
}

# --- the pins ---------------------------------------------------------------------------------------

# Even where everybody may write to the bpffs.
mount -t bpf -o mode=1777 bpf /sys/fs/bpf
attach eth0 --max-flows 64
modes() {
	equal "$(find $PINS -type d ! -perm 700; find $PINS -type f ! -perm 600; find $PINS ! -user root)" ""
}
check "pins: directories 0700, the rest 0600, all root's" modes
check "nobody does not see the pins" answers 2 'Permission denied' nobody ls $PINS
check "nobody cannot take the lock" answers 66 'Permission denied' nobody flock -n $PINS/v1 true
check "nobody cannot read the hash seed" answers 255 'denied|permitted|not in bpf' \
	nobody bpftool map dump pinned $PINS/v1/maps/tg_info
check "nobody cannot find it by its number either" answers 255 'denied|permitted' nobody bpftool map dump name tg_info
check "nobody cannot remove the pins" answers 1 'denied|permitted' nobody rm -r $PINS

# The secret is in no answer, whatever is asked for.
seed_words() {
	bpftool -j map lookup pinned $PINS/v1/maps/tg_info key 0 0 0 0 |
		"$PYTHON" -c 'import json, struct, sys
raw = bytes(int(byte, 16) for byte in json.load(sys.stdin)["value"])
for word in struct.unpack("<22Q", raw[16:192]):
    print(word, "%x" % word, sep="\n")'
}
seed_words > "$WORK/seed"
unspoken() {
	{
		"$TCPGUARD" -v status
		"$TCPGUARD" -j status
		"$TCPGUARD" -j stats
		"$TCPGUARD" -j flows list
		"$TCPGUARD" -v attach eth0 --no-daemon
	} > "$WORK/said" 2>&1
	[ "$(wc -l < "$WORK/seed")" = 44 ] && [ -s "$WORK/said" ] && ! grep -qF -f "$WORK/seed" "$WORK/said"
}
check "the hash seed is in no answer" unspoken

# --- every command ----------------------------------------------------------------------------------

for command in "attach eth0" "attach eth0 --share" "detach eth0" "detach --all --purge" status stats "flows list" \
	"flows count" "flows show 0-1" "flows delete --all" "enforce eth0" "monitor eth0" "bypass on" daemon \
	"explain 10.0.0.2:1-10.0.0.1:7"; do
	# shellcheck disable=SC2086 # words
	check "nobody: $command" answers $PERMISSION 'CAP_[A-Z]+' nobody /run/tcpguard $command
done
gzip -dc "$ROOT/tests/data/clean.pcap.gz" > /run/capture.pcap
check "nobody: replay" answers $PERMISSION 'CAP_[A-Z]+' nobody /run/tcpguard replay /run/capture.pcap
check "nobody: help" answers $OK usage nobody /run/tcpguard help attach
check "nobody: version" answers $OK '[0-9]' nobody /run/tcpguard version
check "root of a user namespace of nobody's is nobody" \
	answers $PERMISSION 'CAP_|capability' nobody unshare --user --map-root-user /run/tcpguard status
check "what nobody tried changed nothing" answers $OK 'ENFORCE' "$TCPGUARD" status eth0
check "bypass is off" answers $OK 'bypass off' "$TCPGUARD" status

# --- laid in the way --------------------------------------------------------------------------------

"$TCPGUARD" detach --all --purge > /dev/null
laid() { # PATTERN: attach refuses, and goes where it was led with nothing
	answers $PERMISSION "$1" "$TCPGUARD" attach eth0 --no-daemon --max-flows 64 &&
		! ip -d link show eth0 | grep -q 'prog/xdp'
}
nobody mkdir -m 777 $PINS
check "a pin directory that somebody made before" laid 'tcpguard is no directory that only root'
rmdir $PINS
mkdir -m 777 /sys/fs/bpf/elsewhere
nobody ln -s /sys/fs/bpf/elsewhere $PINS
check "a link in the place of the pin directory" laid 'tcpguard is no directory that only root'
check "nothing was put where it leads" equal "$(ls /sys/fs/bpf/elsewhere)" ""
rm $PINS
rmdir /sys/fs/bpf/elsewhere
mkdir -m 700 $PINS
mkdir -m 777 $PINS/v1
check "a version directory that everybody may write to" laid 'v1 is no directory that only root'
rm -r $PINS

# The service's user may put links among its pins; what they lead to is not the purge's to remove.
mkdir -p $PINS/v1/maps /run/victim/inside
chmod 700 $PINS/v1/maps /run/victim/inside
echo precious > /run/victim/inside/file
ln -s /run/victim $PINS/v1/iface
ln -s /run/victim/inside/file $PINS/v1/maps/link
mkdir -p $PINS/v1/other && mount -t tmpfs tmpfs $PINS/v1/other && echo precious > $PINS/v1/other/file
"$TCPGUARD" detach --all --purge > "$WORK/purge" 2>&1 || true
check "the purge follows no link" equal "$(cat /run/victim/inside/file)" precious
check "nor into another file system" equal "$(cat $PINS/v1/other/file)" precious
check "what it cannot remove is said" grep -q "cannot remove 'other'" "$WORK/purge"
umount $PINS/v1/other
check "the links are gone" answers $OK removed "$TCPGUARD" detach --all --purge
check "and everything else" test ! -e $PINS

mkdir -m 777 /run/shared # with the sticky bit the kernel itself would refuse to follow the link
echo precious > /run/precious
nobody ln -s /run/precious /run/shared/out.pcap
check "replay -w through somebody's link" answers $USAGE 'symbolic link' \
	"$TCPGUARD" replay -w /run/shared/out.pcap /run/capture.pcap
check "what it pointed at is whole" equal "$(cat /run/precious)" precious
"$TCPGUARD" replay -w /run/written.pcap /run/capture.pcap > /dev/null
check "what is written is its owner's to read" equal "$(stat -c %a /run/written.pcap)" 600

# --- hostile captures -------------------------------------------------------------------------------

# One run over the whole corpus of the fuzzers: each file is judged or refused.
hostile() {
	local code=0 files

	files=("$ROOT"/tests/fuzz/corpus/capture/*)
	"$TCPGUARD" replay "${files[@]}" > "$WORK/answer" 2>&1 || code=$?
	tail -n 5 "$WORK/answer"
	[ $code -lt 70 ] || {
		echo "exit code $code"
		return 1
	}
}
check "every capture of the fuzzers" hostile
one_by_one() {
	local file code

	for file in "$ROOT"/tests/fuzz/corpus/capture/[a-z]*_*; do
		code=0
		timeout 60 "$TCPGUARD" explain --pcap "$file#1" > "$WORK/answer" 2>&1 || code=$?
		[ $code -lt 70 ] || {
			echo "$file: exit code $code"
			return 1
		}
	done
}
check "explain takes the first packet of the odd ones" one_by_one
