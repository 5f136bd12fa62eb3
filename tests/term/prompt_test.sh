#!/bin/sh
# The prompt: readline's keys, history over restarts, completion, and the live filter.
. "$(dirname "$0")/../lib.sh"
. "$test_dir/tmux.sh"

open_term 80 24 "$console"
seen "up" '1 overview'
press : 'refresh 7' Enter
seen "a command runs" 'refresh every 7 s'
press : Up
seen "the history has it" '^:refresh 7'
press C-a 'x' C-e C-w '9'
seen "Ctrl-A, Ctrl-E, Ctrl-W edit" '^:xrefresh 9'
press C-u 'them' Tab
seen "Tab completes a command" '^:theme'
press Tab Tab
seen "Tab lists the themes" 'high-contrast'
press 'ni' C-h 'or' Tab
seen "Tab completes a theme" '^:theme nord'
press C-c
seen "Ctrl-C leaves the prompt, not the program" '\? help'
press : 'sorrt pid' Enter
seen "a wrong command is named, with the nearest" "sorrt.*sort"
press : C-r '7'
seen "Ctrl-R searches" 'reverse-i-search.*refresh 7'
press Enter
seen "... and Enter runs what it found" 'refresh every 7 s'
press / 'abc'
seen "the live filter shows what is typed" '^/abc'
press Escape
seen "Esc leaves it" '\? help'
$mux set-buffer 'theme
mono'
press :
seen "the prompt is open" '^:'
$mux paste-buffer -p
seen "a paste is one line, and not run" '^:theme mono'
press Escape
seen "Esc leaves the prompt" '\? help'
$mux paste-buffer -p
seen "a paste outside the prompt presses no keys" 'pasted text'
press q
seen "q ends it" 'ended 0'
like "the history file holds the commands" "$(cat "$XDG_STATE_HOME"/pgmedic/*history*)" '^refresh 7$'
open_term 80 24 "$console"
seen "up again" '1 overview'
press : Up
seen "a new console knows the old commands" '^:refresh 7|^:sorrt'
finish
