"""Types command lines into a real interactive shell and tells what its completion makes of them.

Usage: shell_session.py SHELL SCRIPT LINE...     SHELL is bash or zsh, SCRIPT the completions to be sourced.
Where DESCRIBED is set, what zsh says of the candidates follows them.
Prints a JSON array with an entry for each line: the line after TAB was pressed once, then the candidates.
"""

import json
import os
import pty
import select
import sys
import tempfile

BASH = r"""
source "$SCRIPT"
candidates() { _labwire "$@"; found=("${COMPREPLY[@]}"); }
complete -F candidates labwire
tell() { printf '%s\t' "$READLINE_LINE" "${found[@]}" > "$TOLD"; echo > "$TOLD"; READLINE_LINE=""; found=(); }
bind -x '"\eq": tell'
"""

ZSH = r"""
autoload -Uz compinit && compinit -D -u
source "$SCRIPT"
typeset -ga found=()
compadd() {
  if [[ " ${@[1,(i)(-|--)]} " != *" -"(O|A|D)* ]]; then
    local -a these
    builtin compadd -O these "$@"
    found+=("${these[@]}")
    [[ $DESCRIBED == "" || -z ${@[(r)-d]} ]] || found+=("${(@P)@[${@[(i)-d]}+1]}")
  fi
  builtin compadd "$@"
}
tell() { print -r -- "$BUFFER"$'\t'"${(pj:\t:)found}" > "$TOLD"; found=(); BUFFER="" }
zle -N tell
bindkey -e
bindkey '\eq' tell
"""


def main():
    shell, script, *lines = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        told = os.path.join(folder, "told")
        os.mkfifo(told)
        rc = os.path.join(folder, ".zshrc" if shell == "zsh" else "bashrc")
        with open(rc, "w") as file:
            file.write(ZSH if shell == "zsh" else BASH)
        env = dict(os.environ, SCRIPT=os.path.abspath(script), TOLD=told, ZDOTDIR=folder, TERM="dumb")
        env.pop("INPUTRC", None)
        argv = ["zsh", "-i"] if shell == "zsh" else ["bash", "--rcfile", rc, "--noprofile", "-i"]
        child, terminal = pty.fork()
        if child == 0:
            os.execvpe(argv[0], argv, env)
        # Open for writing too, so that reading never sees an end.
        answers = os.open(told, os.O_RDWR)
        print(json.dumps([ask(terminal, answers, line) for line in lines]))
        os.close(terminal)
        os.kill(child, 9)
        os.waitpid(child, 0)


def ask(terminal, answers, line):
    """Types a line, TAB, and the key that tells; what the shell shows meanwhile is read and dropped."""
    os.write(terminal, line.encode() + b"\t\x1bq")
    answer = b""
    while not answer.endswith(b"\n"):
        ready, _, _ = select.select([terminal, answers], [], [], 60)
        if not ready:
            sys.exit(f"no answer to {line!r}")
        if terminal in ready:
            os.read(terminal, 65536)
        if answers in ready:
            answer += os.read(answers, 65536)
    return answer.decode().rstrip("\t\n").split("\t")


main()
