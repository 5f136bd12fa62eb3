# Sourced after lib.sh: pgmedic inside a private tmux server. No server is needed: the console must work without one.
# shellcheck shell=sh

command -v tmux >/dev/null 2>&1 || skip_all "no tmux on this machine"
tmux -L "pgmedic-probe-$$" -f /dev/null new-session -d 'exec cat' 2>/dev/null &&
    tmux -L "pgmedic-probe-$$" kill-server 2>/dev/null || skip_all "tmux cannot open a terminal here"

windows=0
mux=''

at_exit() {
	[ -z "$mux" ] || $mux kill-server 2>/dev/null
}

# open_term COLUMNS ROWS COMMAND: a window of that size with a shell that runs COMMAND and then shows "ended STATUS"
open_term() {
	at_exit
	# A server of its own each time: the old one takes a while to go.
	windows=$((windows + 1))
	mux="tmux -L pgmedic-test-$$-$windows -f /dev/null"
	rm -f "$TMP/stty.before" "$TMP/stty.after"
	cat >"$TMP/run.sh" <<-END
		stty -a >"$TMP/stty.before"
		$3
		echo "ended \$?"
		stty -a >"$TMP/stty.after"
		exec sh -i
	END
	$mux new-session -d -x "$1" -y "$2" "PS1='shell> ' sh -i '$TMP/run.sh'"
	$mux set -g default-terminal tmux-256color 2>/dev/null
	$mux set -g status off
}

press() {
	$mux send-keys "$@"
}

shot() {
	$mux capture-pane -p
}

shows() {	# REGEX
	shot | grep -E -q -e "$1"
}

# seen WHAT REGEX: comes on the screen within 10 s
seen() {
	if wait_for 10 shows "$2"; then
		pass "$1"
	else
		fail "$1: not on the screen: $2"
		shot | sed '/^$/d; s/^/  | /'
	fi
}

# The pid of the program that runs in the window.
program_pid() {
	pgrep -f "^$PGMEDIC -h 127.0.0.1 -p 1 -d $$" | head -n 1
}

# A console on a port where nobody listens; $$ marks its process.
console="$PGMEDIC -h 127.0.0.1 -p 1 -d $$"

stty_is_back() {
	cmp -s "$TMP/stty.before" "$TMP/stty.after"
}
