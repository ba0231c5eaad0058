# SPDX-License-Identifier: GPL-2.0-or-later
"""What a real shell offers when a line that begins with `tcpguard` is completed."""

import functools
import os
import pty
import select
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TCPGUARD = ROOT / "build/tcpguard"
DEADLINE_S = 30
# Nothing of the user's: no start-up files, no other completions.
CLEAN = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "TERM": "dumb"}


@functools.lru_cache
def script(shell):
    return subprocess.run([TCPGUARD, "completion", shell], capture_output=True, text=True,
                          check=True).stdout


def split_like_bash(line):
    """COMP_WORDS: '=' is a word of its own there."""
    return line.replace("=", " = ").split(" ") if "=" in line else line.split(" ")


def bash(lines, directory="/"):
    program = script("bash") + """
for line; do
	mapfile -t COMP_WORDS <<< "$line"
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	_tcpguard
	printf '%s ' "${COMPREPLY[@]}"
	echo
done
"""
    arguments = []
    for line in lines:
        *before, last = split_like_bash(line)
        arguments.append("\n".join([word for word in before if word] + [last]))
    done = subprocess.run(["bash", "--norc", "-c", program, "bash", *arguments], capture_output=True,
                          text=True, env=CLEAN, cwd=directory, check=True)
    assert not done.stderr, done.stderr
    return [sorted(set(row.split())) for row in done.stdout.splitlines()]


def fish(lines, directory="/"):
    program = script("fish") + "\nfor line in $argv; complete -C $line; echo --end--; end"
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(["fish", "--no-config", "-c", program, *lines], capture_output=True,
                              text=True, env=dict(CLEAN, HOME=home), cwd=directory, check=True)
    assert not done.stderr, done.stderr
    found = []
    for part in done.stdout.split("--end--\n")[:-1]:
        words = {row.split("\t")[0] for row in part.splitlines()}
        found.append(sorted(word.partition("=")[2] if "=" in word else word for word in words))
    return found


# What the completion functions hand to compadd, in place of a menu on a screen.
CAPTURE = r"""
PS1= ; setopt no_beep ; unsetopt prompt_cr prompt_sp
autoload -Uz compinit && compinit -D -u -d "$HOME/dump"
source "$HOME/tcpguard.zsh"
compadd() {
	if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then
		builtin compadd "$@"
		return
	fi
	local -a captured
	builtin compadd -A captured "$@"
	print -rl -- $captured >> "$HOME/found"
	builtin compadd "$@"
}
capture() { : > "$HOME/found"; zle complete-word; print > "$HOME/done"; zle kill-whole-line }
zle -N capture
bindkey '^I' complete-word
bindkey '^T' capture
print > "$HOME/ready"
"""


def wait_for(path, terminal):
    deadline = time.monotonic() + DEADLINE_S
    seen = b""
    while not path.exists():
        if time.monotonic() > deadline:
            raise AssertionError(f"zsh says nothing more than {seen!r}")
        if select.select([terminal], [], [], 0.02)[0]:
            seen += os.read(terminal, 65536)


def zsh(lines, directory="/"):
    found = []
    with tempfile.TemporaryDirectory() as home:
        home = Path(home)
        (home / "tcpguard.zsh").write_text(script("zsh"))
        (home / ".zshrc").write_text(CAPTURE)
        pid, terminal = pty.fork()
        if not pid:
            os.chdir(directory)
            os.execvpe("zsh", ["zsh", "-d", "-i"], dict(CLEAN, HOME=str(home), ZDOTDIR=str(home)))
        try:
            wait_for(home / "ready", terminal)
            for line in lines:
                os.write(terminal, line.encode() + b"\x14")
                wait_for(home / "done", terminal)
                (home / "done").unlink()
                found.append(sorted(set((home / "found").read_text().split())))
        finally:
            os.close(terminal)
            os.kill(pid, 9)
            os.waitpid(pid, 0)
    return found
