#!/bin/sh
# Terminals and locales: what is poor still works, what cannot work says so.
. "$(dirname "$0")/../lib.sh"
. "$test_dir/tmux.sh"

has_term() {
	infocmp "$1" >/dev/null 2>&1
}

for term in vt100 xterm xterm-256color screen ansi; do
	if ! has_term "$term"; then
		skip "no description of $term"
		continue
	fi
	open_term 80 24 "TERM=$term $console"
	seen "$term: the console is up" '1 overview'
	press 2
	seen "$term: keys work" '2 activity'
	press q
	seen "$term: q ends it" 'ended 0'
done

open_term 80 24 "TERM=dumb $console"
seen "dumb: says why it cannot" 'pgmedic: the terminal "dumb" cannot show a screen'
seen "dumb: says what to do" 'HINT: '
open_term 80 24 "TERM=no-such-terminal $console"
seen "unknown: says why it cannot" 'cannot show a screen'
status 1 "without a terminal it says so" "$PGMEDIC" -h 127.0.0.1 -p 1 -d none
like "... and what to use instead" "$(cat "$TMP/err")" 'pgmedic show'

# colours: what reaches the terminal
escapes() {
	$mux capture-pane -p -e
}
open_term 80 24 "$console"
seen "colours: up" '1 overview'
like "colours are used" "$(escapes)" "$(printf '\033')\[[0-9;]*(3[0-7]|4[0-7])m"
open_term 80 24 "NO_COLOR=1 $console"
seen "NO_COLOR: up" '1 overview'
unlike "NO_COLOR: none are used" "$(escapes)" "$(printf '\033')\[([0-9]+;)*(3[0-7]|4[0-7]|9[0-7]|38;5;[0-9]+)m"
like "NO_COLOR: the title is seen all the same" "$(escapes)" "$(printf '\033')\[([0-9]+;)*7m"
open_term 80 24 "$console --no-color"
seen "--no-color: up" '1 overview'
unlike "--no-color: none are used" "$(escapes)" "$(printf '\033')\[([0-9]+;)*(3[0-7]|4[0-7])m"

# no UTF-8, and --ascii in a UTF-8 locale: nothing but ASCII is shown
ascii_only() {
	! shot | LC_ALL=C grep -q '[^ -~]'
}
open_term 80 24 "LC_ALL=C $console"
seen "C locale: up" '1 overview'
ok "C locale: nothing but ASCII" ascii_only
press 3
seen "C locale: a chart" '3 waits'
ok "C locale: a chart in ASCII" ascii_only
open_term 80 24 "$console --ascii"
seen "--ascii: up" '1 overview'
ok "--ascii: nothing but ASCII" ascii_only

# every theme and keymap opens
for theme in dark light high-contrast colorblind mono classic nord solarized; do
	open_term 80 24 "$console --theme $theme"
	seen "theme $theme" '1 overview'
	unlike "theme $theme: nothing to complain about" "$(shot)" "could not be used|unknown"
done
for keymap in default vim pg_activity pgcenter; do
	open_term 80 24 "$console --keymap $keymap"
	seen "keymap $keymap" '1 overview'
	unlike "keymap $keymap: nothing to complain about" "$(shot)" "could not be used|unknown"
done
finish
