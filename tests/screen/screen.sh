# Sourced after lib.sh: the console over a recording, without a terminal. See src/app/console_script.c for scripts.
# shellcheck shell=sh

# A primary with a chain of four sessions (a head and three that wait for it), idle sessions and a pgbench load.
recording=$SOURCE/tests/data/chain.pgmr

# play SCRIPT: the text is run as a script over the recording; $TMP/screen gets the display of `:shot`, which is
# short for saving it (the last one counts)
play() {
	printf '%s\n' "$1" | sed "s#^:shot\$#:save-display $TMP/screen#" >"$TMP/script"
	rm -f "$TMP/screen"
	PGMEDIC_SCRIPT=$TMP/script timeout 60 "$PGMEDIC" replay "${2:-$recording}" >"$TMP/out" 2>"$TMP/err"
	played=$?
	[ -f "$TMP/screen" ] || : >"$TMP/screen"
	text=$(sed '/^--- roles$/,$d' "$TMP/screen")
	roles=$(sed '1,/^--- roles$/d' "$TMP/screen")
}

# line N: of the screen, from 0
line() {
	printf '%s\n' "$text" | sed -n "$(($1 + 1))p"
}

# in_size ROWS COLUMNS SCRIPT
in_size() {
	LINES=$1 COLUMNS=$2
	export LINES COLUMNS
	play "$3"
	unset LINES COLUMNS
}

clean_run() {
	[ "$played" = 0 ] && [ ! -s "$TMP/err" ]
}
