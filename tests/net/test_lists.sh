#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Block and allow lists with real traffic: who is blocked gets nothing through, TCP or not, at once; who
# is allowed does; and every command of theirs.
. "$(dirname "$0")/lib.sh"

topology_pair
web 10.0.0.1
background "$PYTHON" "$ROOT/demo/web.py" fd00:0::1 80
both_listen() {
	[ "$(ss -Hlnt 'sport = :80' | wc -l)" = 2 ]
}
wait_for 10 both_listen || die "the web server does not start on IPv6"

tg() {
	"$TCPGUARD" "$@"
}

# code EXPECTED COMMAND...
code() {
	local want=$1 status=0

	shift
	"$TCPGUARD" "$@" > "$WORK/out" 2> "$WORK/err" || status=$?
	[ "$status" = "$want" ] || {
		echo "exit code $status, want $want"
		cat "$WORK/out" "$WORK/err"
		return 1
	}
}

says() { # TEXT: the last command's remark
	grep -qF -- "$1" "$WORK/err" || {
		echo "no '$1' in:"
		cat "$WORK/err"
		return 1
	}
}

count() { # LIST
	tg -j "$1" list | query "len(d['rules'])"
}

ping_works() { # ADDRESS
	on client ping -c 1 -W "${LIMIT_S:-10}" "$1"
}

fetch_works() { # ADDRESS
	on client curl -s --fail --connect-timeout "${LIMIT_S:-10}" --max-time 20 -o /dev/null "http://$1/"
}

# What works may take its time; what does not is given a second.
fails() {
	! LIMIT_S=1 "$@"
}

check "nothing attached: exit code 3" code 3 block add 10.0.0.2
attach eth0 --no-daemon

# --- who is blocked ---------------------------------------------------------------------------------

check "before: ping" ping_works 10.0.0.1
check "before: curl" fetch_works 10.0.0.1
check "before: ping over IPv6" ping_works fd00:0::1
check "block add" tg block add 10.0.0.2 --reason "test of the list"
check "ping is blocked" fails ping_works 10.0.0.1
check "curl is blocked" fails fetch_works 10.0.0.1
check "IPv6 is not" fetch_works '[fd00:0::1]'
check "counted under its reason" at_least "$(reason eth0 blocklist)" 2
check "stats names it" grep -q 'blocklist' <(tg stats)
check "block test says by which rule" grep -q 'blocked by 10.0.0.2 (test of the list), for ever' <(tg block test 10.0.0.2)
check "block test of another: exit code 1" code 1 block test 10.0.0.3
check "allow add wins" tg allow add 10.0.0.0/24
check "ping is allowed" ping_works 10.0.0.1
check "curl is allowed" fetch_works 10.0.0.1
check "allow test" grep -q 'allowed by 10.0.0.0/24.*allow wins' <(tg allow test 10.0.0.2)
check "block test: allowed, exit code 1" code 1 block test 10.0.0.2
check "allow del" tg allow del 10.0.0.0/24
check "blocked again" fails ping_works 10.0.0.1
check "status counts the rules" equal "$(tg -j status | query "d['lists']['block']")" 1
check "status in words" grep -q 'block list 1 prefix' <(tg status)
check "mode monitor lets it pass" tg monitor eth0
check "curl passes in mode monitor" fetch_works 10.0.0.1
check "and is counted" at_least "$(packets eth0 would_drop)" 1
tg enforce eth0 > /dev/null
check "bypass lets it pass" tg bypass on
check "curl passes under bypass" fetch_works 10.0.0.1
tg bypass off > /dev/null
check "blocked once more" fails fetch_works 10.0.0.1
check "block del" tg block del 10.0.0.2
check "free again" fetch_works 10.0.0.1
check "del of what is not there: exit code 1" code 1 block del 10.0.0.2
check "and says so" says "10.0.0.2 is not on the block list"

check "IPv6 prefix" tg block add fd00:0::2/127 --force
check "IPv6 is blocked" fails fetch_works '[fd00:0::1]'
check "IPv4 is not" fetch_works 10.0.0.1
check "flush" tg block flush
check "IPv6 is free" fetch_works '[fd00:0::1]'
check "the images are gone" fails test -e /sys/fs/bpf/tcpguard/v1/lists

# --- an image of another version --------------------------------------------------------------------

tg block add 10.0.0.2 --reason "kept" > /dev/null
check "blocked" fails fetch_works 10.0.0.1
"$PYTHON" "$HERE/hostile_image.py" /sys/fs/bpf/tcpguard/v1 format=1 reserved1=16 direct1=1
check "an image of another format blocks nobody" fetch_works 10.0.0.1
check "its rules are still read" grep -q '^10.0.0.2 .*kept' <(tg block list)
check "upgrade" tg upgrade --no-daemon
check "blocked by an image of this version" fails fetch_works 10.0.0.1
check "with the reason it had" grep -q '^10.0.0.2 .*kept' <(tg block list)
"$PYTHON" "$HERE/hostile_image.py" /sys/fs/bpf/tcpguard/v1 format=1 reserved1=16 direct1=1
check "passes again" fetch_works 10.0.0.1
check "attach makes it anew as well" tg attach eth0 --no-daemon
check "it blocks" fails fetch_works 10.0.0.1

# --- programs of another version --------------------------------------------------------------------

loaded_with_format() { # NUMBER: as if a version with that one had loaded all programs there are
	local note

	for note in /sys/fs/bpf/tcpguard/v1/formats/*; do
		rm "$note"
		ln -s "$1" "$note"
	done
}
loaded_with_format 99
check "no going back to programs that read none of these lists" code 5 upgrade --rollback
check "and what helps" says "'tcpguard upgrade', which carries them over"
check "they are still in force" fails fetch_works 10.0.0.1
check "nothing is added for programs that would not read it" code 5 block add 192.0.2.9
check "but what mends it is said" says "'tcpguard upgrade'"
check "upgrade" tg upgrade --no-daemon
check "now it is" tg block add 192.0.2.9
check "going back to programs that read them" tg upgrade --rollback
check "where they are in force" fails fetch_works 10.0.0.1
tg block flush > /dev/null
loaded_with_format 99
check "without lists there is no reason against it" tg upgrade --rollback
check "upgrade once more" tg upgrade --no-daemon

# --- time -------------------------------------------------------------------------------------------

check "for 3s" tg block add 10.0.0.2 --for 3s
check "blocked for the moment" grep -q '^10.0.0.2 ' <(tg block list)
LIMIT_S=1 check "passes by itself when the time is over" wait_for 10 ping_works 10.0.0.1
check "and is not listed any more" wait_for 2 equal "$(count block)" 0
check "for nothing is refused" code 2 block add 10.0.0.2 --for 0
check "a negative duration is refused" code 2 block add 10.0.0.2 --for -5m
check "with the reason" says "'-5m' is no duration"
check "a duration that is none is refused" code 2 block add 10.0.0.2 --for ever

# --- what is refused --------------------------------------------------------------------------------

ip route add default via 10.0.0.9
ip -6 route add default via fd00:0::9
export SSH_CONNECTION="10.7.7.7 5555 10.0.0.1 22"
check "our own address" code 2 block add 10.0.0.1
check "says whose it is" says "the address of eth0"
check "a prefix around it" code 2 block add 10.0.0.0/24
check "our own IPv6 address" code 2 block add fd00:0::1
check "the gateway" code 2 block add 10.0.0.9
check "says that it is" says "default gateway"
check "the IPv6 gateway" code 2 block add fd00:0::9
check "the ssh peer" code 2 block add 10.7.7.0/24
check "says that it is so" says "ssh session"
# As under sudo, which takes the variable away: a parent still has it.
without_variable() {
	bash -c 'env -u SSH_CONNECTION "$TCPGUARD" block add 10.7.7.7; exit $?'
}
check "the ssh peer, known to a parent only" fails without_variable
check "too wide" code 2 block add 8.0.0.0/7
check "too wide in IPv6" code 2 block add 2000::/18
check "says --force" says --force
check "nothing was changed" equal "$(count block)" 0
check "just not too wide" code 0 block add 9.0.0.0/8 2001::/19
check "with --force" code 0 block add 10.7.7.0/24 --force
check "allow refuses nothing" code 0 allow add 10.0.0.0/8
tg block flush > /dev/null
tg allow flush > /dev/null
unset SSH_CONNECTION

# --- wrong words ------------------------------------------------------------------------------------

check "host bits" code 2 block add 192.0.2.1/24
check "names the right form" says "write 192.0.2.0/24"
check "no prefix" code 2 block add 192.0.2.0/33
check "not an address" code 2 block add example.org
check "a mapped address" code 2 block add ::ffff:192.0.2.1
check "several, one wrong: none is added" code 2 block add 192.0.2.1 nonsense 192.0.2.2
check "none" equal "$(count block)" 0
check "no address" code 2 block add
check "no verb" code 2 block
check "a wrong verb" code 2 block remove 192.0.2.1
check "a control character in the reason" code 2 block add 192.0.2.1 --reason $'bell\a'
check "a reason that is too long" code 2 block add 192.0.2.1 --reason "$(printf 'x%.0s' {1..128})"
check "several at once" code 0 block add 192.0.2.1 192.0.2.2 2001:db8::/32
check "a duplicate takes the place" grep -q '1 in place of an earlier rule; 3 now' <(tg block add 192.0.2.1 --for 1h)
tg block flush > /dev/null

# --- files ------------------------------------------------------------------------------------------

cat > "$WORK/list" << 'END'
# a comment
192.0.2.0/24
198.51.100.7 1h    a reason with # inside

2001:db8::/32 - for ever
203.0.113.0/25 ; SBL1
END
check "import" tg block import "$WORK/list"
check "all of it" equal "$(count block)" 4
check "the reason" grep -q '"reason":"a reason with # inside"' <(tg -j block list)
check "its time" equal "$(tg -j block list | query "[r['expires_in_s'] for r in d['rules'] if r['prefix'] == '198.51.100.7'][0] > 3500")" True
tg block export > "$WORK/exported"
tg block flush > /dev/null
check "import what was exported, from standard input" tg block import - < "$WORK/exported"
check "it is the same" equal "$(tg block export | sed 's/ 3[0-9]*s//')" "$(sed 's/ 3[0-9]*s//' "$WORK/exported")"
printf '192.0.2.0/24\nwrong\n198.51.100.0/33\n10.0.0.1\n192.0.2.9 never x\n' > "$WORK/bad"
check "bad lines" code 2 block import "$WORK/bad"
check "by number" says "bad:2: 'wrong'"
check "each of them" says "bad:3:"
check "what is refused, too" says "bad:4: 10.0.0.1 would block the address of eth0"
check "a duration that is none" says "bad:5: 'never'"
check "nothing was changed" equal "$(count block)" 4
check "no such file" code 2 block import "$WORK/absent"
printf '192.0.2.77\n192.0.2.77\n' > "$WORK/twice"
check "replace" grep -q '2 added, 1 in place of an earlier rule; 1 now' <(tg block import "$WORK/twice" --replace)
check "nothing else is left" equal "$(count block)" 1

"$PYTHON" -c 'import random
random.seed(4)
for i in range(1000000):
    bits = random.choice((16, 20, 24, 24, 28, 32, 32, 32))
    word = 0x0b000000 + random.getrandbits(30) >> 32 - bits << 32 - bits
    print(f"{word >> 24}.{word >> 16 & 255}.{word >> 8 & 255}.{word & 255}/{bits}")
print("10.0.0.2 - the client")' > "$WORK/million"
check "a million prefixes" tg block import "$WORK/million"
check "block as well" fails fetch_works 10.0.0.1
check "and are found" tg block test 10.0.0.2
check "an address can be added" tg allow add 10.0.0.2
check "and has its effect" fetch_works 10.0.0.1
check "ndjson: one object a line" equal "$(tg -o ndjson block list | grep -c '^{.*}$')" "$(tg -j status | query "d['lists']['block']")"
check "a limit" equal "$(tg -j block list -n 3 | query "len(d['rules'])")" 3
check "flush a million" tg block flush
tg allow flush > /dev/null

# Whoever removes the pin by hand: packets are judged as before, the rules cannot be read any more.
tg block add 10.0.0.2 > /dev/null
rm /sys/fs/bpf/tcpguard/v1/lists/*
check "image lost: it still blocks" fails fetch_works 10.0.0.1
check "image lost: list says so" code 70 block list
check "and what helps" says "block flush"
check "flush gives it up" tg block flush
check "nobody is blocked" fetch_works 10.0.0.1

# --- who keeps them ---------------------------------------------------------------------------------

check "two writers at once both get their way" bash -c \
	"for i in 1 2 3 4 5 6 7 8; do '$TCPGUARD' block add 192.0.2.\$i & done; wait"
check "all eight" equal "$(count block)" 8
check "block" tg block add 10.0.0.2 --reason kept
check "detach" tg detach eth0
check "passes while detached" fetch_works 10.0.0.1
attach eth0 --no-daemon
check "the lists are still there" fails fetch_works 10.0.0.1
check "with their reasons" grep -q kept <(tg block list)
attach eth0 --no-daemon
check "and after an update" fails fetch_works 10.0.0.1
check "detach --purge" tg detach eth0 --purge
check "nothing is left" bpffs_is_empty
