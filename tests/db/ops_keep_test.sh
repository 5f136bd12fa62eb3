#!/bin/sh
# What is kept of pgBackRest's backups, and what goes: dropped by name with what builds upon it, never the last one,
# never the last verified one unasked; daily, weekly and monthly ones by their days.
# majors: system
. "$(dirname "$0")/../lib.sh"
. "$test_dir/backup.sh"

need_pg
start_backed_up db
sql db "CREATE TABLE t AS SELECT g AS id FROM generate_series(1, 500) g; CHECKPOINT" >/dev/null

labels() {
	backrest db info --output=json | python3 -c 'import json, sys
print(" ".join(b["label"] for b in json.load(sys.stdin)[0]["backup"]))'
}
conf=$XDG_CONFIG_HOME/pgmedic/pgmedic.conf

op "snapshot one full" db --yes
one=$(member result.snapshot)
op "snapshot drop one" db --yes
is "the only full one stays" "$(member state) $(member error.code)" "refused REFUSED"
op "snapshot drop one --last" db --yes
is "... also when that is said" "$(member state) $(member error.what)" "refused $one is the only full snapshot"
op "snapshot incr" db --yes
incr=$(member result.snapshot)
op "snapshot two full" db --yes
two=$(member result.snapshot)
is "three of them" "$(labels)" "$one $incr $two"

op "snapshot drop $one" db --dry-run
is "a plan to drop changes nothing" "$(member state) $(labels)" "planned $one $incr $two"
hash=$(member plan_hash)
text=$("$PGMEDIC" run "snapshot drop $one" db --dry-run)
like "... and names all that goes" "$text" "$incr"
unlike "... and nothing that stays" "$text" "$two"
op "snapshot drop $one" db
is "it is to be confirmed" "$(member error.code)" NOT_CONFIRMED
op "snapshot drop latest" db --yes
is "a name is needed" "$(member error.code)" USAGE
op "snapshot drop nothing" db --yes
is "one that is there" "$(member error.code)" NOT_FOUND

# The plan is about what it named: another one that builds upon it makes it another plan.
backrest db --log-level-console=warn --type=incr backup >/dev/null 2>&1
backrest db --log-level-console=warn --set="$one" annotate --annotation=verified=2026-01-02T03:04:05Z >/dev/null 2>&1
op "snapshot drop $one" db --plan "$hash"
is "the last verified one is not dropped" "$(member state) $(member error.what)" "refused nothing that was verified would be left"
op "snapshot drop $one --last" db --yes
is "... unless that is said" "$(member state) $(member result.snapshot)" "done $one"
is "... with what builds upon it" "$(member result.dropped)" "[\"$one\", \"$incr\"]"
like "... and no other" "$(labels)" "^$two ${two}_[0-9]{8}-[0-9]{6}I\$"
like "the list says what is there" "$("$PGMEDIC" run snapshots db)" "$two"
finish
