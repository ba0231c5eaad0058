# SPDX-License-Identifier: GPL-2.0-or-later
"""What a real shell offers when a line that begins with `tcpguard` is completed."""

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


def script(shell):
    return subprocess.run([TCPGUARD, "completion", shell], capture_output=True, text=True,
                          check=True).stdout


def split_like_bash(line):
    """COMP_WORDS: '=' is a word of its own there."""
    return line.replace("=", " = ").split(" ") if "=" in line else line.split(" ")


def bash(line, directory="/"):
    words = [word for word in split_like_bash(line)[:-1] if word] + [split_like_bash(line)[-1]]
    program = script("bash") + """
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_tcpguard
[ ${#COMPREPLY[@]} = 0 ] || printf '%s\\n' "${COMPREPLY[@]}"
"""
    done = subprocess.run(["bash", "--norc", "-c", program, "bash", *words], capture_output=True,
                          text=True, env=CLEAN, cwd=directory, check=True)
    assert not done.stderr, done.stderr
    return sorted(set(done.stdout.split()))


def fish(line, directory="/"):
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            ["fish", "--no-config", "-c", script("fish") + "\ncomplete -C $argv[1]", line],
            capture_output=True, text=True, env=dict(CLEAN, HOME=home), cwd=directory, check=True)
    assert not done.stderr, done.stderr
    found = {row.split("\t")[0] for row in done.stdout.splitlines()}
    return sorted(word.partition("=")[2] if "=" in word else word for word in found)


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


def zsh(line, directory="/"):
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
            os.write(terminal, line.encode() + b"\x14")
            wait_for(home / "done", terminal)
            found = (home / "found").read_text().split()
        finally:
            os.close(terminal)
            os.kill(pid, 9)
            os.waitpid(pid, 0)
    return sorted(set(found))
