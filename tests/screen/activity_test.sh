#!/bin/sh
# The activity pane and what is common to all tables: cursor, filter, sort, columns, tags, detail.
. "$(dirname "$0")/../lib.sh"
. "$test_dir/screen.sh"

play ':pane activity
:wait sample 3
:shot'
ok "runs without a word on standard error" clean_run
is "24 lines" "$(printf '%s\n' "$text" | wc -l | tr -d ' ')" 24
like "a title line" "$(line 0)" 'primary 15'
like "the pane is marked among its siblings" "$(line 1)" '2 activity'
like "a header with a sort mark" "$(line 2)" 'PID .*▼.*QUERY'
like "sessions that wait for a lock" "$text" '^ *[0-9]+ .*Lock:'
like "hints with keys" "$(line 23)" '\? help  : command'
like "the cursor is on the first row" "$roles" '^3: 0-79 cursor'
unlike "nothing is wider than the screen" "$text" '^.{81}'

play ':pane activity
:wait sample 3
jj
:shot'
like "j moves the cursor" "$roles" '^5: 0-79 cursor'

play ':pane activity
:wait sample 2
/lock<Enter>
:shot'
like "the filter is shown, with how many rows it left" "$(line 1)" '/lock [0-9]+ of [0-9]+'
like "what it matched is marked" "$roles" 'match'
unlike "other rows are gone" "$text" 'Timeout:'

play ':pane activity
:wait sample 2
:filter nothing-has-this
:shot'
like "no row matches: it says so" "$text" 'none of [0-9]+ rows matches'

play ':pane activity
:wait sample 2
/lock<Enter><Esc>
:shot'
unlike "Esc clears the filter and does not quit" "$(line 1)" '/lock'
like "... and the rows are back" "$text" 'Timeout:|CPU'

play ':pane activity
:wait sample 2
:sort pid asc
:shot'
like "sorted by a column" "$(line 2)" 'PID▲'
pids=$(printf '%s\n' "$text" | sed -n 's/^ *\([0-9][0-9]*\) .*/\1/p' | sed '1{/^1$/d;}')
is "... in its order" "$pids" "$(printf '%s\n' "$pids" | sort -n)"

play ':pane activity
:wait sample 2
:sort pid asc
I
:shot'
like "I inverts the sort" "$(line 2)" 'PID▼'

play ':pane activity
:wait sample 2
:columns pid query
:shot'
like "chosen columns alone" "$(line 2)" '^ *PID +QUERY *$'

play ':pane activity
:wait sample 2
<Space><Space>
:shot'
like "tagged rows are counted" "$(line 1)" '2 tagged'
like "... and marked" "$roles" '^3: 0-79 tagged'
play ':pane activity
:wait sample 2
<Space><Space>U
:shot'
unlike "U untags" "$(line 1)" 'tagged'

play ':pane activity
:wait sample 2
<Enter>
:shot'
like "Enter opens the detail" "$(line 2)" '^activity: [0-9]+'
play ':pane activity
:wait sample 2
<Enter>q
:shot'
like "q closes it" "$(line 2)" 'PID'

play ':pane activity
:wait sample 2
x
:shot'
like "x shows the row in full below the table" "$text" '^backend_start +[0-9]'

play ':pane activity
:wait sample 2
l
:shot'
unlike "l scrolls columns" "$(line 2)" '^ *PID<? +DB|DATABASE'
like "... and the first stays" "$(line 2)" '^ *PID'

play ':pane activity
:wait sample 2
L
:shot'
like "L goes to the lock tree" "$(line 1)" '4 locks'
play ':pane activity
:wait sample 2
L-
:shot'
like "- goes back" "$(line 1)" '2 activity'

in_size 50 200 ':pane activity
:wait sample 2
:shot'
is "50 lines" "$(printf '%s\n' "$text" | wc -l | tr -d ' ')" 50
like "a wide screen shows whole statements" "$text" 'UPDATE bench_locks? SET'
in_size 5 30 ':pane activity
:wait sample 2
:shot'
ok "a tiny screen does not end it" clean_run
in_size 2 10 ':pane activity
jjj<Enter>q
:shot'
ok "nor does a tinier one" clean_run
finish
