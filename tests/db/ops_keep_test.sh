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

# pgBackRest that is killed once it has taken the backup out of its list: its files do not stay unseen.
mkdir "$TMP/bin"
cat >"$TMP/bin/pgbackrest" <<END
#!/bin/sh
case "\$*" in
*expire*--dry-run*) ;;
*expire*--set=*)
	if rm "$TMP/pg-db/armed" 2>/dev/null; then
		set_of=\${*##*--set=}
		cp -a "$TMP/pg-db/repo/backup/lab/\$set_of" "$TMP/pg-db/kept"
		$(command -v pgbackrest) "\$@"
		rm "$TMP/pg-db/kept"/backup.manifest*
		mv "$TMP/pg-db/kept" "$TMP/pg-db/repo/backup/lab/\$set_of"
		kill -9 \$\$
	fi
	;;
esac
exec $(command -v pgbackrest) "\$@"
END
chmod 755 "$TMP/bin/pgbackrest"
for how in resume undo; do
	backrest db --log-level-console=warn --type=incr backup >/dev/null 2>&1
	incr=$(labels | tr ' ' '\n' | tail -n 1)
	as_pg touch "$TMP/pg-db/armed"
	answer=$(PATH=$TMP/bin:$PATH "$PGMEDIC" run "snapshot drop $incr" db --json --wait --yes </dev/null)
	is "pgBackRest is killed while it drops" "$(member state) $(member error.code)" "failed PROGRAM"
	job=$(member job)
	like "... which is said" "$("$PGMEDIC" run "job $job" db)" "still has files of .*$incr"
	op "job $how $job" db --yes
	is "... $how removes the files" "$(member state) $(as_pg ls "$TMP/pg-db/repo/backup/lab" | grep -c "$incr")" "done 0"
done

# Retention: by days, by what a snapshot was said to be; the named one is left alone, the newest stays.
text=$("$PGMEDIC" run "backup retention" db)
like "retention that is not set" "$text" 'none is set; as in'
left=$(labels)
op "snapshot weekly" db --yes
weekly=$(member result.snapshot)
like "a weekly snapshot is full" "$(member state) $weekly" '^done [-0-9]+F$'
op "snapshot full" db --yes
newest=$(member result.snapshot)
old=${left#* }
later=$(date -u -d '+20 days' +%Y-%m-%dT%H:%M:%SZ)
days="daily 7 weekly 90 monthly 365 continuous 7"
op "backup retention daily x" db --yes
is "days are days" "$(member error.code)" USAGE
op "backup retention apply" db --yes
is "nothing is applied that was not set" "$(member state) $(member error.code)" "refused REFUSED"
op "backup retention $days" db
is "what drops is to be confirmed" "$(member error.code)" NOT_CONFIRMED
text=$(PGMEDIC_NOW=$later "$PGMEDIC" run "backup retention $days" db --dry-run)
like "a plan says what goes" "$text" "^goes +$old "
like "... what stays, and until when" "$text" "^stays +$weekly .* weekly, until 20"
like "... and what is left alone" "$text" "^stays +$two .* left alone"
like "... and why one stays that has had its days" "$text" "^stays +$newest .* kept: the newest"
is "... and changes nothing" "$(labels)" "$left $weekly $newest"
PGMEDIC_NOW=$later
export PGMEDIC_NOW
op "backup retention $days" db --yes
unset PGMEDIC_NOW
is "it drops that" "$(member state) $(member result.dropped)" "done [\"$old\"]"
is "... and nothing else" "$(labels)" "$two $weekly $newest"
text=$("$PGMEDIC" run "backup retention" db)
like "the days are kept" "$text" "^retention +$days days"
op "backup retention" db
is "... for scripts" "$(member state) $(member result.weekly_days)" "done 90"
like "the list says when one expires" "$("$PGMEDIC" run snapshots db)" "$weekly .*weekly, expires 20"
op snapshots db
like "... for scripts" "$(member result.snapshots)" '"expires_at": "20'
like "the list says what is there" "$("$PGMEDIC" run snapshots db)" "$two"
finish
