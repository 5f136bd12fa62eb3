"""kill -9 at random moments while one operation runs, again and again; then what must hold is looked at.

    ops_kill.py CONFIG.json OPERATION COUNT SEED

Killed are the console, the job's process, a program that it runs, the drill's probe, a server, PgBouncer. Afterwards
`jobs` has to tell the truth, and `job resume` (or `job undo`) has to end it: nothing done twice, nothing lost, nothing
left behind. CONFIG.json is made by ops_kill_test.sh: pgmedic, psql, pg_bin, as_pg (words before a command that make it
run as the servers' owner), servers {name: {port, data, start}}, backrest (words), restores, pooler {uri, admin, start}.
"""
import json, os, random, re, signal, sqlite3, subprocess, sys, time

conf = json.load(open(sys.argv[1]))
operation, count, seed = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
random.seed(f"{operation} {seed}")
state_dir = os.path.join(os.environ["XDG_STATE_HOME"], "pgmedic")
quiet = dict(stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
wrong, killed, ends = [], {}, {}
pair = ["a", "b"]


# ------------------------------------------------------------------ the world

def journal(sql, *args):
    if not os.path.exists(os.path.join(state_dir, "journal.db")):
        return []
    db = sqlite3.connect(os.path.join(state_dir, "journal.db"), timeout=20)
    try:
        return db.execute(sql, args).fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return []
        raise
    finally:
        db.close()


def one(sql, *args):
    rows = journal(sql, *args)
    return rows[0][0] if rows else None


def pgmedic(line, *options, target=None):
    words = [conf["pgmedic"], "run", line] + ([target] if target else []) + ["--json", *options]
    p = subprocess.run(words, timeout=300, **quiet)
    try:
        return json.loads(p.stdout)
    except json.JSONDecodeError:
        return {"state": "?", "error": {"what": p.stdout + p.stderr}}


def sql(server, text, timeout=10):
    """The rows as text; None: it does not answer."""
    uri = server if "://" in server else f"postgresql://postgres@127.0.0.1:{conf['servers'][server]['port']}/postgres"
    try:
        p = subprocess.run([conf["psql"], "-X", "-A", "-t", "-q", "-d", uri, "-c", text], timeout=timeout,
                           env={**os.environ, "PGCONNECT_TIMEOUT": "3"}, **quiet)
    except subprocess.TimeoutExpired:
        return None
    return p.stdout.strip() if p.returncode == 0 else None


def role(server):
    return {"f": "primary", "t": "standby"}.get(sql(server, "SELECT pg_is_in_recovery()"), "down")


def timeline(server):
    return int(sql(server, "SELECT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int") or 0)


def data(server):
    return conf["servers"][server]["data"]


def postmaster(server):
    try:
        pid = int(open(os.path.join(data(server), "postmaster.pid")).readline())
        os.kill(pid, 0)
        if open(f"/proc/{pid}/comm").read().strip() != "postgres":
            return 0
        return pid
    except (OSError, ValueError):
        return 0


def is_standby_on_disk(server):
    return os.path.exists(os.path.join(data(server), "standby.signal"))


def processes():
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            words = open(f"/proc/{entry}/cmdline", "rb").read().split(b"\0")
            stat = open(f"/proc/{entry}/stat").read()
        except OSError:
            continue
        after = stat.rpartition(")")[2].split()
        if after[0] != "Z":
            yield int(entry), int(after[1]), [w.decode(errors="replace") for w in words if w]


def children(pid):
    return [(p, w) for p, parent, w in processes() if parent == pid]


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
        return True
    except ProcessLookupError:
        return False


def wait(seconds, condition):
    end = time.time() + seconds
    while time.time() < end:
        if condition():
            return True
        time.sleep(0.05)
    return bool(condition())


def start_server(server):
    """As an init system would; not where that makes two primaries."""
    other = pair[1 - pair.index(server)] if server in pair else None
    if postmaster(server):
        return
    if other and not is_standby_on_disk(server) and role(other) == "primary":
        return
    for _ in range(50):     # what a killed postmaster has left must be gone first
        p = subprocess.run(conf["servers"][server]["start"], **quiet)
        if p.returncode == 0:
            return
        time.sleep(0.2)
    wrong.append(f"server {server} does not start again: {p.stdout} {p.stderr}")


def start_pooler():
    if not conf.get("pooler") or sql(conf["pooler"]["admin"], "SHOW VERSION") is not None:
        return
    subprocess.Popen(conf["pooler"]["start"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                     stderr=subprocess.DEVNULL)
    wait(10, lambda: sql(conf["pooler"]["admin"], "SHOW VERSION") is not None)


def pooler_pids():
    ini = conf["pooler"]["start"][-1]
    return [p for p, _, w in processes() if w and os.path.basename(w[0]) == "pgbouncer" and ini in w]


def is_paused():
    rows = sql(conf["pooler"]["admin"], "SHOW DATABASES")
    header = subprocess.run([conf["psql"], "-X", "-A", "-q", "-d", conf["pooler"]["admin"], "-c", "SHOW DATABASES"],
                            **quiet).stdout.splitlines()[0].split("|") if rows is not None else []
    return any(dict(zip(header, line.split("|"))).get("paused") == "1" for line in (rows or "").splitlines())


# ------------------------------------------------------------------ what must hold of a pair

def pair_roles():
    return {s: role(s) for s in pair}


def pair_is_well():
    """One primary, the other streams from it by its slot, no other slot, nothing of a drill."""
    roles = pair_roles()
    if sorted(roles.values()) != ["primary", "standby"]:
        return f"roles {roles}"
    primary = next(s for s in pair if roles[s] == "primary")
    standby = next(s for s in pair if s != primary)
    names = sql(primary, "SELECT application_name || ' ' || state FROM pg_stat_replication")
    if names != f"{standby} streaming":
        return f"{standby} does not stream from {primary}: {names!r}"
    slots = sql(primary, "SELECT slot_name || ' ' || active FROM pg_replication_slots")
    if not re.fullmatch(rf"({standby}|pgmedic_{standby}) true", slots or ""):
        return f"slots of {primary}: {slots!r}"
    slots = sql(standby, "SELECT slot_name FROM pg_replication_slots")
    if slots != "":
        return f"slots of {standby}: {slots!r}"
    if sql(primary, "SELECT count(*) FROM pg_namespace WHERE nspname = 'pgmedic'") != "0":
        return "the table of the probe is there"
    if conf.get("pooler") and is_paused():
        return "PgBouncer is paused"
    for s in pair:
        for name in (".pgmedic-kept", ".pgmedic-kept.part"):
            if os.path.exists(data(s) + name):
                return f"{data(s) + name} is there"
    return ""


def pair_ready():
    start_pooler()
    for s in pair:
        start_server(s)
    if not wait(30, lambda: pair_is_well() == ""):
        wrong.append(f"before the next: {pair_is_well()}")
        return False
    sql(primary_of(), "CREATE TABLE IF NOT EXISTS t (id serial PRIMARY KEY); INSERT INTO t DEFAULT VALUES")
    return True


def primary_of():
    return next((s for s in pair if role(s) == "primary"), None)


# ------------------------------------------------------------------ the operations

class Operation:
    line, target, victims = "", "db", ["console", "worker", "program"]
    usual_s = 5.0
    server_names = []

    def ready(self, n):
        """Before each run; False: cannot."""
        return True

    def words(self, n):
        return self.line

    def done(self, job):
        """After it came to its end: what is wrong, or ""."""
        return ""

    def undone(self, job):
        return ""


class Snapshot(Operation):
    line = "snapshot full"
    victims = ["console", "worker", "worker", "program", "server"]
    usual_s = 4.0
    server_names = ["db"]

    def ready(self, n):
        start_server("db")
        return wait(20, lambda: sql("db", "SELECT 1") == "1")

    def made(self, job):
        p = subprocess.run(conf["backrest"] + ["info", "--output=json"], **quiet)
        backups = json.loads(p.stdout)[0]["backup"]
        return sum(b.get("annotation", {}).get("job") == str(job) for b in backups)

    def done(self, job):
        return "" if self.made(job) == 1 else f"{self.made(job)} backups"

    def undone(self, job):
        return "" if self.made(job) <= 1 else f"{self.made(job)} backups"


class Restore(Snapshot):
    usual_s = 5.0

    def words(self, n):
        self.name = f"copy{n}"
        return f"restore latest to {self.name}"

    def folder(self):
        return os.path.join(conf["restores"], self.name)

    def running(self):
        """Servers of copies, by their data directories."""
        return [p for p, _, w in processes() if any(conf["restores"] in x for x in w)
                and os.path.basename(w[0]) == "postgres"]

    def remove(self):
        for pid in self.running():
            kill(pid)
        wait(10, lambda: not self.running())
        subprocess.run(["rm", "-rf", self.folder()])

    def done(self, job):
        result = json.loads(one("SELECT result FROM jobs WHERE act = ?", job))
        rows = sql(result["uri"], "SELECT count(*) FROM t")
        problem = "" if rows and len(self.running()) == 1 else f"rows {rows!r}, servers {self.running()}"
        self.remove()
        return problem

    def undone(self, job):
        left = os.path.exists(self.folder()) or self.running()
        problem = f"{self.folder()} or its server {self.running()} is there" if left else ""
        self.remove()
        return problem


class Verify(Restore):
    line = "verify latest"
    usual_s = 9.0

    def words(self, n):
        self.name = ""
        return self.line

    def remove(self):
        pass

    def left(self):
        entries = os.listdir(conf["restores"])
        return f"left: {entries} {self.running()}" if entries or self.running() else ""

    def done(self, job):
        result = json.loads(one("SELECT result FROM jobs WHERE act = ?", job))
        return self.left() or ("" if result["passed"] else f"did not pass: {result}")

    def undone(self, job):
        return self.left()


class Point(Operation):
    usual_s = 0.6
    server_names = ["db"]
    victims = ["console", "worker", "worker", "server"]

    def ready(self, n):
        start_server("db")
        return wait(20, lambda: sql("db", "SELECT 1") == "1")

    def words(self, n):
        self.name = f"point-{seed}-{n}"
        self.begin = sql("db", "SELECT pg_current_wal_insert_lsn()")
        return f"point {self.name}"

    def made(self):
        end = sql("db", "SELECT pg_current_wal_flush_lsn()")
        p = subprocess.run(conf["as_pg"] + [os.path.join(conf["pg_bin"], "pg_waldump"), "-p", data("db") + "/pg_wal",
                                            "-r", "XLOG", "-s", self.begin, "-e", end], **quiet)
        return p.stdout.count(f"RESTORE_POINT {self.name}")

    def done(self, job):
        known = one("SELECT count(*) FROM points WHERE name = ?", self.name)
        # A point whose LSN was lost with the process is made anew: the name means the later one.
        return "" if known == 1 and 1 <= self.made() <= 2 else f"known {known}, in WAL {self.made()}"


class Switchover(Operation):
    line, target = "switchover", "a"
    usual_s = 3.0
    server_names = pair
    victims = ["console", "worker", "worker", "program", "server", "pooler"]

    def ready(self, n):
        if not pair_ready():
            return False
        self.before = primary_of()
        self.timeline = timeline(self.before)
        self.rows = sql(self.before, "SELECT count(*) FROM t")
        return True

    def truth(self, moves):
        if not wait(20, lambda: pair_is_well() == ""):
            return pair_is_well()
        now = primary_of()
        if sql(now, "SELECT count(*) FROM t") != self.rows:
            return f"{sql(now, 'SELECT count(*) FROM t')} rows, not {self.rows}"
        if timeline(now) - self.timeline not in moves:
            return f"timeline {self.timeline} became {timeline(now)}"
        return ""

    def done(self, job):
        problem = self.truth([1])
        return problem or ("" if primary_of() != self.before else f"{self.before} is still primary")

    def undone(self, job):
        return self.truth([0, 1])


class Failover(Switchover):
    line = "failover rejoin"
    usual_s = 4.0
    victims = ["console", "worker", "worker", "program"]

    def ready(self, n):
        if not super().ready(n):
            return False
        # Synchronous: or rows that the standby has not are lost, which a failover cannot help.
        other = pair[1 - pair.index(self.before)]
        wait(10, lambda: sql(other, "SELECT count(*) FROM t") == self.rows)
        kill(postmaster(self.before))
        return wait(20, lambda: not postmaster(self.before) and
                    not any(data(self.before) in " ".join(w) for _, _, w in processes() if w and "postgres" in w[0]))


class Drill(Switchover):
    line = "drill failover"
    usual_s = 12.0
    victims = ["console", "worker", "worker", "program", "probe", "server", "pooler"]

    def done(self, job):
        problem = self.truth([2])
        result = json.loads(one("SELECT result FROM jobs WHERE act = ?", job))
        if not problem and not result["restored"]:
            problem = f"not restored: {result}"
        return problem or ("" if primary_of() == self.before else f"{self.before} is not primary")

    def undone(self, job):
        return self.truth([0, 1, 2])


class Crash(Drill):
    line = "drill failover --kind crash"
    usual_s = 15.0


class Pool(Operation):
    line, target = "pool pause", "a"
    usual_s = 0.5
    victims = ["console", "worker", "worker", "pooler"]

    def ready(self, n):
        return pair_ready()

    def resumed(self):
        answer = pgmedic("pool resume", "--yes", "--wait", target="a")
        if answer["state"] != "done" or is_paused():
            return f"pool resume: {answer}"
        return ""

    def done(self, job):
        problem = "" if is_paused() else "not paused"
        return problem or self.resumed()

    def undone(self, job):
        return "it is paused" if is_paused() else ""


kinds = {"snapshot": Snapshot, "restore": Restore, "verify": Verify, "point": Point, "switchover": Switchover,
         "failover": Failover, "drill": Drill, "crash": Crash, "pool": Pool}

# ------------------------------------------------------------------ one run


def victim_pids(what, job, front):
    worker = one("SELECT pid FROM acts WHERE id = ? AND finished_at IS NULL", job) if job else None
    if what == "console":
        return [front.pid] if front.poll() is None else []
    if what == "worker":
        return [worker] if worker else []
    if what in ("program", "probe"):
        own = children(worker) if worker else []
        # The probe is the worker itself, forked.
        is_probe = lambda w: os.path.basename(w[0]).startswith("pgmedic") or "--job" in w
        return [p for p, w in own if w and is_probe(w) == (what == "probe")]
    if what == "server":
        server = random.choice(op.server_names)
        if postmaster(server):
            struck_servers.add(server)
            return [postmaster(server)]
        return []
    return pooler_pids()


def strike(what, job, front):
    """Kills one; some are only there for moments: they are waited for a little."""
    end = time.time() + (2 if what in ("program", "probe") else 0.2)
    while time.time() < end:
        for pid in victim_pids(what, job, front):
            if kill(pid):
                killed[what] = killed.get(what, 0) + 1
                return True
        if front.poll() is not None:
            break
        time.sleep(0.01)
    return False


def check_jobs(job, state):
    listed = {j["id"]: j for j in json.loads(subprocess.run([conf["pgmedic"], "jobs", "--json"], **quiet).stdout)}
    left = one("SELECT count(*) FROM leftovers WHERE job = ? AND settled_at IS NULL", job)
    if (state in ("lost", "running") or left) and job not in listed:
        wrong.append(f"job {job} is {state} with {left} leftovers, and jobs does not list it")
    held = subprocess.run(["fuser", "-s", os.path.join(state_dir, "jobs", f"{job}.lock")], **quiet).returncode == 0 \
        if os.path.exists("/usr/bin/fuser") or os.path.exists("/bin/fuser") else None
    if state == "lost" and held:
        wrong.append(f"job {job} is called lost, and its process lives")


def settle(job, n):
    """To its end by `job resume`, or back by `job undo`."""
    wants_undo = random.random() < 0.35
    tries = []
    for _ in range(8):
        state = pgmedic(f"job {job}")["state"]
        check_jobs(job, state)
        end = time.time() + 120
        while state == "running" and time.time() < end:
            time.sleep(0.1)
            state = pgmedic(f"job {job}")["state"]
        left = one("SELECT count(*) FROM leftovers WHERE job = ? AND settled_at IS NULL", job)
        act = one("SELECT state FROM acts WHERE id = ?", job)
        if act == "partly" and not left:
            return "undone"
        if act == "done":
            return "done"
        if state == "refused" and not left:
            return "undone"     # a plan that did not hold, a gate: nothing was done
        for s in op.server_names:
            if not (operation == "failover" and s == op.before):
                restart_after_kill(s)
        if conf.get("pooler"):
            start_pooler()
        answer = pgmedic(f"job {'undo' if wants_undo else 'resume'} {job}", "--yes", "--wait", target=op.target)
        tries.append(f"{'undo' if wants_undo else 'resume'}: {answer['state']} {answer.get('error')}")
        if len(tries) >= 4 and not wants_undo:
            wants_undo = True   # what cannot go on has to be able to go back
    wrong.append(f"job {job} does not end: {tries}")
    return "stuck"


struck_servers = set()


def restart_after_kill(server):
    if server in struck_servers:
        wait(10, lambda: not postmaster(server) or role(server) != "down")
        start_server(server)


def run_once(n):
    if not op.ready(n):
        wrong.append(f"{n}: cannot begin")
        return False
    struck_servers.clear()
    before = one("SELECT max(id) FROM acts") or 0
    front = subprocess.Popen([conf["pgmedic"], "run", op.words(n), op.target, "--json", "--yes", "--wait"], **quiet)
    began = time.time()
    job = None
    told = []
    for _ in range(random.choice([1, 1, 1, 2])):
        what = random.choice(op.victims)
        moment = random.uniform(0, op.usual_s) if what != "console" or random.random() < 0.5 else random.uniform(0, 1.5)
        while time.time() - began < moment and front.poll() is None:
            time.sleep(0.005)
        job = job or one("SELECT max(id) FROM acts WHERE id > ?", before)
        step = one("SELECT name FROM job_steps WHERE job = ? ORDER BY began_at DESC LIMIT 1", job) if job else None
        if strike(what, job, front):
            told.append(f"{what}{sorted(struck_servers) if what == 'server' else ''} in {step}")
    try:
        front.wait(180)
    except subprocess.TimeoutExpired:
        wrong.append(f"{n}: {told}: the console does not end")
        front.kill()
    job = job or one("SELECT max(id) FROM acts WHERE id > ?", before)
    if job is None:
        # Nothing was written: nothing was done.
        problem, end = op.undone(0) if operation != "failover" else "", "nothing"
        if operation == "failover":
            answer = pgmedic(op.words(n), "--yes", "--wait", target=op.target)
            problem, end = (op.done(answer["job"]), "done") if answer["state"] == "done" else (str(answer), "stuck")
    else:
        end = settle(job, n)
        for s in op.server_names:
            if not (operation == "failover" and s == getattr(op, "before", None)):
                restart_after_kill(s)
        if operation == "failover" and end == "undone":
            answer = pgmedic(op.words(n), "--yes", "--wait", target=op.target) if role(op.before) == "down" and \
                primary_of() is None else {"state": "done"}
            if answer["state"] != "done":
                wrong.append(f"{n}: {told}: after undo: {answer}")
        problem = op.done(job) if end == "done" else op.undone(job) if end == "undone" else ""
        left = journal("SELECT what FROM leftovers WHERE job = ? AND settled_at IS NULL", job)
        if left and end != "stuck" and operation not in ("pool", "restore"):
            problem = problem or f"left behind: {left}"
    ends[end] = ends.get(end, 0) + 1
    if os.environ.get("PGMEDIC_KILL_SAY"):
        print(f"{n}: job {job}: {', '.join(told) or 'nobody'}: {end} {problem}", flush=True)
    if problem:
        wrong.append(f"{n}: job {job}: {', '.join(told)}: {end}, {problem}")
    return len(wrong) < 5 or not problem


op = kinds[operation]()
start = time.time()
for n in range(count):
    if not run_once(n):
        break
print(f"{operation}: seed {seed}, {n + 1} runs in {time.time() - start:.0f} s, killed {killed}, ended {ends}")
for pid in pooler_pids() if conf.get("pooler") else []:
    kill(pid)
for w in wrong:
    print("WRONG", w)
sys.exit(bool(wrong))
