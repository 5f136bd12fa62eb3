#!/bin/sh
# What belongs to no pane: every pane opens, help, errors of the prompt, pause, themes, keymaps, bad configuration.
. "$(dirname "$0")/../lib.sh"
. "$test_dir/screen.sh"

for pane in overview activity waits locks statements replication tables indexes maintenance databases settings pools advice history storage; do
	for size in "24 80" "50 200" "10 40"; do
		in_size "${size% *}" "${size#* }" ":pane $pane
:wait sample 4
jjG
<Enter><Esc>
?
<Esc>
:pane $pane
:shot"
		ok "$pane at $size" clean_run
		like "$pane at $size is shown" "$(line 1)" "$(printf '%s' "$pane" | cut -c1-4)"
	done
done

play ':wait sample 1
?
:shot'
like "? is help with the keys valid here" "$text" 'keys (here|everywhere)'
play ':wait sample 1
:pane waits
?G
:shot'
like "... and the columns" "$text" 'share_pct'

play ':pane statements
:wait sample 4
<Enter>
:shot'
like "a detail is titled with what names the row" "$(line 2)" '^statements: -?[0-9]{6,}'

play ':sorrt pid
:shot'
like "an unknown command: the word and the nearest" "$text" "sorrt.*sort"
play ':pane activty
:shot'
like "an unknown pane: the word and the nearest" "$text" 'activty.*activity'
play ':pane activity
:sort pidd
:shot'
like "an unknown column: the word and the nearest" "$text" 'pidd.*pid'
play ':theme drak
:shot'
like "an unknown theme: the word and the nearest" "$text" 'drak.*dark'
play ":filter 'x
:shot"
ok "an open quote ends nothing" clean_run
play 'ö
:shot'
like "a key that means nothing says so" "$text" 'does nothing here'

play ':bind any ö pane locks
ö
:shot'
like "bind makes a key" "$(line 1)" '4 locks'
play ':unbind any 4
4
:shot'
unlike "unbind takes one away" "$(line 1)" '4 locks'

play ':pause
:shot'
like "pause is loud" "$(line 0)" 'PAUSED'
play ':pause
p
:shot'
unlike "p goes on" "$(line 0)" 'PAUSED'

for theme in dark light high-contrast colorblind mono classic nord solarized; do
	play ":theme $theme
:wait sample 1
:shot"
	ok "theme $theme" clean_run
done
for keymap in vim pg_activity pgcenter default; do
	play ":keymap $keymap
:shot"
	like "keymap $keymap" "$text" "keymap $keymap"
done
play ':keymap vim
:pane activity
:wait sample 2
Ggg
:shot'
like "vim: gg goes to the top" "$roles" '^3: 0-79 cursor'

# Files that users write: what is wrong is said, the rest is in force.
mkdir -p "$XDG_CONFIG_HOME/pgmedic/themes" "$XDG_CONFIG_HOME/pgmedic/keymaps"
printf 'inherit dark\nrole wran red default\nrole warn green default\n' >"$XDG_CONFIG_HOME/pgmedic/themes/mine.theme"
printf 'inherit default\nbind any <Entr> quit\nbind any ä pane pools # pools\n' >"$XDG_CONFIG_HOME/pgmedic/keymaps/mine.keys"
printf '[console]\ntheme = mine\nkeymap = mine\npain = locks\n' >"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf"
in_size 24 200 ':shot'
like "a bad role: file, line, word, nearest" "$text" 'mine.theme:2: .*wran.*warn'
like "a bad key: file, line, word, nearest" "$text" 'mine.keys:2: .*<Entr>.*Enter'
like "a bad setting: file, line, word, nearest" "$text" 'pgmedic.conf:4: .*pain.*pane'
play 'qä
:shot'
like "the rest is in force" "$(line 1)" 'pools$|pools '
rm -r "$XDG_CONFIG_HOME/pgmedic"

play ':wait sample 1
:save-view view.txt
:shot'
like "save-view writes commands" "$(cat view.txt 2>/dev/null)" '^pane overview$'
play '<Nokey>'
is "a script with a key that does not exist fails" "$played" 1

# Whoever holds the journal holds up no key.
if command -v python3 >/dev/null; then
	"$PGMEDIC" run journal >"$TMP/out"
	mkfifo "$TMP/hold"
	python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("PRAGMA locking_mode = EXCLUSIVE")
db.execute("BEGIN EXCLUSIVE")
open(sys.argv[2], "w").close()
open(sys.argv[3]).read()' "$XDG_STATE_HOME/pgmedic/journal.db" "$TMP/held" "$TMP/hold" &
	holder=$!
	ok "the journal is held" wait_for 10 test -e "$TMP/held"
	play ':wait sample 1
:journal
:shot'
	like "the journal is not waited for" "$text" 'does not answer'
	kill "$holder"
fi
finish
