#!/bin/sh
# kill -9 at random moments of `pgmedic run` and of the job's process while pgBackRest makes snapshots: nothing is done
# twice, nothing is lost, `jobs` says the truth. A few here; PGMEDIC_KILLS=100 is the campaign. The seed is printed.
# majors: system
. "$(dirname "$0")/../lib.sh"
. "$test_dir/backup.sh"

need_pg
command -v python3 >/dev/null || skip_all "no python3"
start_backed_up db
sql db "CREATE TABLE t AS SELECT g AS id FROM generate_series(1, 1000) g; CHECKPOINT" >/dev/null
op "snapshot full" db --yes
is "a first snapshot" "$(member state)" "done"

cat >"$TMP/campaign.py" <<'PY'
import json, os, random, signal, sqlite3, subprocess, sys, time
pgmedic, kills, repo = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
seed = int(os.environ.get("PGMEDIC_SEED", time.time()))
random.seed(seed)
print(f"seed {seed}")
db = os.path.join(os.environ["XDG_STATE_HOME"], "pgmedic", "journal.db")
quiet = dict(stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
wrong = []

def one(sql, *args):
    c = sqlite3.connect(db, timeout=10)
    try:
        row = c.execute(sql, args).fetchone()
        return row[0] if row else None
    finally:
        c.close()

def run(*words):
    p = subprocess.run([pgmedic, "run", *words, "--json"], **quiet)
    return json.loads(p.stdout)

def made(job):
    out = subprocess.run([*repo, "info", "--output=json"], **quiet).stdout
    return sum(b.get("annotation", {}).get("job") == str(job) for b in json.loads(out)[0]["backup"])

def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass

fronts = workers = lost = 0
for n in range(kills):
    before = one("SELECT max(id) FROM acts")
    front = subprocess.Popen([pgmedic, "run", "snapshot full", "db", "--json", "--yes", "--wait"], **quiet)
    if random.random() < 0.3:
        # The console's part is short: within it, and a little beyond
        time.sleep(random.uniform(0, 1.5))
        front.kill()
        fronts += 1
        time.sleep(0.1)
    job = None
    end = time.time() + 5
    while front.poll() is None and time.time() < end and job is None:
        job = one("SELECT id FROM acts WHERE id > ?", before)
        time.sleep(0.01)
    job = job or one("SELECT id FROM acts WHERE id > ?", before)
    if job is None:
        continue    # killed before anything was written: and nothing was done
    for again in range(random.randint(1, 2)):
        time.sleep(random.choice([random.uniform(0, 0.3), random.uniform(0, 4)]))
        pid = one("SELECT pid FROM acts WHERE id = ? AND finished_at IS NULL", job)
        if pid:
            kill(pid)
            workers += 1
            if again == 0:
                subprocess.run([pgmedic, "run", f"job resume {job}", "db", "--json", "--yes"], **quiet)
    front.wait(60)
    state = run(f"job {job}")["state"]
    listed = [j["id"] for j in json.loads(subprocess.run([pgmedic, "jobs", "--json"], **quiet).stdout)]
    if (state in ("lost", "running")) != (job in listed):
        wrong.append(f"job {job} is {state}, and jobs lists {listed}")
    lost += state == "lost"
    end = time.time() + 90
    while state != "done" and time.time() < end:
        if state == "running":
            time.sleep(0.1)
        else:
            run(f"job resume {job}", "db", "--yes", "--wait")
        state = run(f"job {job}")["state"]
    if state != "done":
        wrong.append(f"job {job} does not come to its end: {run(f'job {job}')}")
    count = made(job)
    if count != 1:
        wrong.append(f"job {job} made {count} snapshots")
print(f"{kills} runs, {fronts} killed in front, {workers} workers killed, {lost} found lost")
for w in wrong:
    print("WRONG", w)
sys.exit(bool(wrong))
PY
if [ -n "$pg_user" ]; then
	set -- runuser -u "$pg_user" -- pgbackrest
else
	set -- pgbackrest
fi
python3 "$TMP/campaign.py" "$PGMEDIC" "${PGMEDIC_KILLS:-4}" "$@" --config="$TMP/pg-db/pgbackrest.conf" --stanza=lab >"$TMP/campaign" 2>&1
is "killed at random: made once, told true, brought to its end" "$?" 0
cat "$TMP/campaign"
like "the journal is whole" "$("$PGMEDIC" journal verify)" 'each as it was written'
like "nothing is left" "$("$PGMEDIC" jobs)" 'none is lost'
finish
