#!/bin/sh
# The terminal is put back on every way out that a program can see coming, and Ctrl-Z stops and comes back.
. "$(dirname "$0")/../lib.sh"
. "$test_dir/tmux.sh"

for signal in TERM HUP INT; do
	open_term 80 24 "$console"
	seen "$signal: the console is up" '1 overview'
	kill "-$signal" "$(program_pid)"
	if [ "$signal" = INT ]; then
		# Ctrl-C ends the console only when nothing else is under way, which is so here.
		seen "$signal: ended" 'ended 0'
	else
		seen "$signal: ended" 'ended [0-9]'
	fi
	wait_for 5 test -s "$TMP/stty.after"
	ok "$signal: the terminal's modes are as before" stty_is_back
	press 'echo we''lcome' Enter
	seen "$signal: the shell echoes again" '^welcome'
	unlike "$signal: the console's screen is gone" "$(shot)" '1 overview'
done

open_term 80 24 "$console"
seen "abort: the console is up" '1 overview'
kill -ABRT "$(program_pid)"
seen "abort: ended by the signal" 'ended 134'
wait_for 5 test -s "$TMP/stty.after"
ok "abort: the terminal's modes are as before" stty_is_back

# A job of an interactive shell: Ctrl-Z stops it, fg brings the screen back, twice.
open_term 80 24 "true"
seen "a shell" 'ended 0'
press "clear; $console" Enter
seen "Ctrl-Z: the console is up" '1 overview'
for time in once twice; do
	press C-z
	seen "Ctrl-Z $time: the shell is back" 'shell>.*$'
	unlike "Ctrl-Z $time: the screen is the shell's" "$(shot)" '1 overview'
	press 'fg' Enter
	seen "Ctrl-Z $time: fg brings the console back" '1 overview'
	press '2'
	seen "Ctrl-Z $time: keys work" '2 activity'
	press '1'
done
kill -STOP "$(program_pid)"
seen "stopped from outside: the shell says so" 'opped'
# The terminal is still raw, and this shell does not mend it: a line ends in Ctrl-J.
press fg C-j
seen "stopped from outside: fg brings the console back" '1 overview'
press ':'
seen "stopped and continued from outside: keys work" '^:'
press C-c
press q
seen "q ends it" 'shell>'

# Ctrl-Z in psql stops it with the console behind it, and fg brings back psql.
mkdir "$TMP/bin"
printf '#!/bin/sh\necho here is psql\nexec cat\n' >"$TMP/bin/psql"
chmod +x "$TMP/bin/psql"
press "clear; PATH=$TMP/bin:\$PATH $console" Enter
seen "psql: the console is up" '1 overview'
press ':psql' Enter
seen "psql: it runs" 'here is psql'
press C-z
seen "psql: Ctrl-Z gives the shell back" 'opped'
press 'clear; fg' Enter
press 'ec' 'ho' Enter
seen "psql: fg gives psql back" '^echo$'
press C-d
seen "psql: its end brings the console back" '1 overview'
press q
finish
