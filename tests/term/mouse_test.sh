#!/bin/sh
# The mouse, and escape sequences that no terminal description knows: none of their bytes may be taken for a key.
. "$(dirname "$0")/../lib.sh"
. "$test_dir/tmux.sh"

open_term 80 24 "$PGMEDIC replay $SOURCE/tests/data/chain.pgmr --pane activity"
esc=$(printf '\033')

cursor_on() {	# LINE: is drawn with a background, from 1
	$mux capture-pane -p -e | sed -n "$1p" | grep -q "${esc}\[[0-9;]*46m"
}

seen "rows are there" '^ *[0-9]+ bench'
ok "the cursor is on the first row" wait_for 5 cursor_on 4
press -l "${esc}[<0;10;6M"
ok "a click selects a row" wait_for 5 cursor_on 6
press -l "${esc}[<64;10;6M"
ok "the wheel moves the cursor" wait_for 5 cursor_on 4
press -l "${esc}[<0;3;3M"
seen "a click on a header sorts by it" 'PID[▲▼]'
press -l "${esc}[<0;3;3M"
seen "another one inverts" 'PID[▲▼]'
press -l "${esc}[<0;30;2M"
seen "a click on a name shows that pane" '4 locks|5 statements'
press 2
seen "back to sessions" '2 activity'
# Each of these ends in a letter that would act.
for sequence in '[99;9K' '[>1;2C' '[5;6;7K' 'OK' '[<3;1;1M' '[?1;2c'; do
	press -l "$esc$sequence"
done
press j
seen "unknown sequences press no keys" '2 activity'
unlike "... and ask nothing" "$(shot)" '\(y/n\)|refused|tagged'
press -l "${esc}[B"
press q
seen "q ends it" 'ended 0'
finish
