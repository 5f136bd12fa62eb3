#!/bin/sh
# A target that cannot be reached, in the console: what to do about it is said where the rows would be, and the answer
# comes in a document while the console goes on trying. The child reads the configuration that the console has read.
. "$(dirname "$0")/../lib.sh"
. "$test_dir/tmux.sh"

[ -x "$PGMEDIC" ] || skip_all "no program is built here"
mkdir -p "$TMP/data"
cat >"$TMP/my.conf" <<CONF
[target down]
conninfo = host=127.0.0.1 port=1 user=x dbname=y
data_directory = $TMP/data
CONF
open_term 80 24 "$PGMEDIC --config $TMP/my.conf down"
seen "no connection" 'no connection: '
seen "what walks the way to it" ':diagnose connect. walks the way'
press ':diagnose connect' Enter
seen "the verdict" '^NOT REACHED: the server in '
seen "the target's own keys were used" '^fail +local +the server in '
seen "what was looked at" '^ok +target +127.0.0.1 port 1, user x, database y'
unlike "lines are broken where they may be" "$(shot | tail -n +8)" '^[a-z]+ [a-z]+ [a-z]+ [a-z]+$'
press q
seen "back again" 'walks the way'
press ':diagnose everything' Enter
seen "another word is none of its" "diagnose cannot 'everything'"
finish
