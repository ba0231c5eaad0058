#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Lists named in the configuration file: in force with it or, with a fault in any of them, not at all;
# beside them what commands add stays through every reload.
. "$(dirname "$0")/lib.sh"

topology_pair
web 10.0.0.1
FILE=$WORK/tcpguard.yaml
LISTS=$WORK/block.d
mkdir "$LISTS"

tg() {
	"$TCPGUARD" "$@"
}

exits() {
	local wanted=$1 status=0

	shift
	"$TCPGUARD" "$@" > "$WORK/out" 2> "$WORK/err" || status=$?
	equal $status "$wanted" || {
		cat "$WORK/out" "$WORK/err"
		return 1
	}
}

says() {
	grep -qF -- "$1" "$WORK/err" "$WORK/out" || {
		echo "no '$1' in:"
		cat "$WORK/err" "$WORK/out"
		return 1
	}
}

fetch_works() {
	on client curl -s --fail --connect-timeout "${LIMIT_S:-10}" --max-time 20 -o /dev/null http://10.0.0.1/
}

# What works may take its time; what does not is given a second.
fails() {
	! LIMIT_S=1 "$@"
}

# rules LIST ORIGIN: prefixes, in order.
rules() {
	tg -j "$1" list --origin "$2" | query "' '.join(r['prefix'] for r in d['rules'])"
}

generation() {
	tg -j config show | query "d['generation']"
}

printf '%s\n' 'version: 1' 'interfaces: [{name: eth0}]' 'lists:' "  block: [$LISTS]" "  allow: [$WORK/allow.txt]" > "$FILE"
printf '# ours\n10.0.0.2 - the client\n' > "$LISTS/a.txt"
printf '192.0.2.0/24\n2001:db8::/32 1h\n' > "$LISTS/b.txt"
echo 'no prefix' > "$LISTS/b.txt~"
echo 'no prefix' > "$LISTS/.b.txt.swp"

# --- attach -----------------------------------------------------------------------------------------

check "a list that is not there: 6" exits 6 attach --config "$FILE"
check "says where it is named" says "$FILE:5:10: cannot read '$WORK/allow.txt'"
check "and attaches nothing" bpffs_is_empty
: > "$WORK/allow.txt"
attach --config "$FILE"
check "the client is blocked" fails fetch_works
check "by the rule of its file" grep -q 'blocked by 10.0.0.2 (the client)' <(tg block test 10.0.0.2)
check "all files of the directory are read, no leftovers" equal "$(rules block file)" "2001:db8::/32 10.0.0.2 192.0.2.0/24"
check "nothing differs" exits 0 config diff "$FILE"
check "check counts them" grep -q '3 prefixes to block, 0 to allow' <(tg config check "$FILE")
check "show, too" grep -q 'block list: 3 prefixes of files, 0 added' <(tg config show)
check "and in JSON" equal "$(tg -j config show | query "d['lists']['block']")" "{'file': 3, 'cli': 0}"

# --- reload, with what commands added ---------------------------------------------------------------

tg block add 198.51.100.7 --for 1h --reason runtime > /dev/null
tg block add 10.0.0.2 --reason 'by hand' > /dev/null
echo '10.0.0.0/24 - our own' > "$WORK/allow.txt"
echo '203.0.113.9' > "$LISTS/b.txt"
check "diff: exit code 1" exits 1 config diff "$FILE"
check "what goes" says "- lists.block.192.0.2.0/24: for ever"
check "what comes" says "+ lists.allow.10.0.0.0/24: for ever (our own)"
check "nothing else" equal "$(wc -l < "$WORK/out")" 4
check "reload" exits 0 config reload "$FILE"
check "says so" says "2 prefixes to block, 1 to allow"
check "allow wins" fetch_works
check "the files' rules are the new ones" equal "$(rules block file)" "10.0.0.2 203.0.113.9"
check "the others are still there" equal "$(rules block cli)" "10.0.0.2 198.51.100.7"
: > "$WORK/allow.txt"
: > "$LISTS/a.txt"
tg config reload "$FILE" > /dev/null
check "a file's rule is gone, the one by hand blocks" fails fetch_works
check "with its own reason" grep -q 'by hand' <(tg block test 10.0.0.2)
tg block del 10.0.0.2 > /dev/null
check "and nobody" fetch_works
check "del of a file's rule" exits 0 block del 203.0.113.9
check "says that a reload brings it back" says "the next reload brings them back"
tg config reload "$FILE" > /dev/null
check "it does" equal "$(rules block file)" 203.0.113.9
printf '198.51.100.8\n' > "$WORK/import"
tg block import --replace "$WORK/import" > /dev/null
check "import --replace leaves the files' rules" equal "$(rules block file) $(rules block cli)" "203.0.113.9 198.51.100.8"
tg block export --origin cli > "$LISTS/kept.txt"
check "what was added, exported into the files" equal "$(cat "$LISTS/kept.txt")" 198.51.100.8
tg config reload "$FILE" > /dev/null
check "is a file's rule now" equal "$(rules block file)" "198.51.100.8 203.0.113.9"
rm "$LISTS/kept.txt"

# --- nothing or all ---------------------------------------------------------------------------------

before=$(generation)
printf '192.0.2.1\nnonsense\n192.0.2.0/33\n' > "$LISTS/c.txt"
check "a bad line: 6" exits 6 config reload "$FILE"
check "by file and line" says "$LISTS/c.txt:2: 'nonsense'"
check "each" says "$LISTS/c.txt:3:"
check "check finds it, too" exits 6 config check "$FILE"
check "nothing changed" equal "$(generation) $(rules block file)" "$before 198.51.100.8 203.0.113.9"
echo 10.0.0.1 > "$LISTS/c.txt"
check "our own address: 6" exits 6 config reload "$FILE"
check "by file and line, too" says "$LISTS/c.txt:1: 10.0.0.1 would block the address of eth0"
echo 0.0.0.0/0 > "$LISTS/c.txt"
check "everything: 6" exits 6 config reload "$FILE"
check "says how to mean it" says "force: true"
echo 8.0.0.0/7 > "$LISTS/c.txt"
printf '%s\n' 'version: 1' "lists: {block: [$LISTS], force: true}" > "$WORK/force.yaml"
check "with force it is in" exits 0 config reload "$WORK/force.yaml"
check "with the rest" equal "$(rules block file)" "8.0.0.0/7 203.0.113.9"
rm "$LISTS/c.txt"
mkfifo "$WORK/pipe"
printf '%s\n' 'version: 1' "lists: {block: [$WORK/pipe]}" > "$WORK/pipe.yaml"
check "a pipe is no list: 6" exits 6 config reload "$WORK/pipe.yaml"
printf '%s\n' 'version: 1' "lists: {block: [$LISTS]}" 'flows: {max: 4096}' > "$WORK/other.yaml"
: > "$LISTS/b.txt"
check "refused for another reason" exits 6 config reload "$WORK/other.yaml"
check "the lists stay, too" equal "$(rules block file)" "8.0.0.0/7 203.0.113.9"
check "no second image is left" equal "$(find /sys/fs/bpf/tcpguard/v1/lists -type f | wc -l)" 1

# --- time -------------------------------------------------------------------------------------------

# A duration begins when the file is written, whenever it is read.
printf '192.0.2.1 1h\n192.0.2.2 3h\n' > "$LISTS/b.txt"
touch -d '2 hours ago' "$LISTS/b.txt"
tg config reload "$FILE" > /dev/null
check "what has run out is left out" equal "$(rules block file)" 192.0.2.2
check "what has not has the rest of its time" equal \
	"$(tg -j block list --origin file | query "3500 < d['rules'][0]['expires_in_s'] <= 3600")" True
check "and a later reload changes nothing" exits 0 config diff "$FILE"

# --- SIGHUP, and a file without lists -----------------------------------------------------------------

daemon=$(tg -j status | query "d['daemon']['pid']")
echo 10.0.0.2 > "$LISTS/b.txt"
kill -HUP "$daemon"
check "SIGHUP loads them" wait_for 5 fails fetch_works
printf '%s\n' 'version: 1' > "$FILE"
tg config reload "$FILE" > /dev/null
check "a file without lists takes its rules away" fetch_works
check "not the others" equal "$(rules block file) $(rules block cli)" " 198.51.100.8"

# --- many -------------------------------------------------------------------------------------------

"$PYTHON" -c '
for i in range(100000):
    print(f"11.{i >> 16}.{i >> 8 & 255}.{i & 255}")' > "$LISTS/many.txt"
printf '%s\n' 'version: 1' "lists: {block: [$LISTS]}" > "$FILE"
check "a hundred thousand" exits 0 config reload "$FILE"
check "are in force" equal "$(tg -j config show | query "d['lists']['block']['file']")" 100001
rm "$LISTS/many.txt"
check "diff shows some" exits 1 config diff "$FILE"
check "and says how many more" says "# and 99980 more prefixes"
check "JSON all of them" equal "$(tg -j config diff "$FILE" | query "sum(r['key'].startswith('lists.') for r in d['differences'])")" 100000
