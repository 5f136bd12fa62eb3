#!/bin/sh
# Sizes: small ones, large ones, and a storm of changes; the last size is what is drawn.
. "$(dirname "$0")/../lib.sh"
. "$test_dir/tmux.sh"

open_term 80 24 "$console"
seen "80x24" '\? help'
is "80x24 fills the screen" "$(shot | wc -l)" 24

resize() {
	$mux resize-window -x "$1" -y "$2"
}

for size in "200 50" "300 80" "40 10" "20 5" "10 3" "5 2" "2 1" "80 24"; do
	# shellcheck disable=SC2086 # two numbers
	resize $size
done
seen "back at 80x24 after odd sizes" '\? help'
n=0
while [ $n -lt 60 ]; do
	resize $((20 + n * 7 % 150)) $((3 + n * 5 % 60))
	n=$((n + 1))
done
resize 100 30
hints_last() {
	shot | sed -n '30p' | grep -q 'help'
}
ok "after a storm the hints are on the last line" wait_for 10 hints_last
ok "after a storm it still runs" test -n "$(program_pid)"
press '?'
seen "keys work" 'keys everywhere'
resize 60 15
seen "a document is laid out anew" 'keys +1-10 of [0-9]+'
press q q
seen "q ends it" 'ended 0'
finish
