"""The operations of ops_kill.py: how each begins, who can be killed in it, and what must hold afterwards."""
import glob, json, os, random, re, shutil, subprocess, time

from ops_kill_world import *


class Operation:
    line, target = "", "db"
    usual_s = 4.0               # until a run has shown how long it takes
    victims = ["console", "worker", "worker", "program", "network"]
    server_names, links = [], []
    keeps_leftovers = False     # what is left behind may be what was asked for
    env = None                  # of pgmedic
    restarts = True             # a server that was down before is started by nobody

    def prepare(self):
        """Once."""

    def ready(self, n):
        """Before each run; False: cannot."""
        return True

    def words(self, n):
        return self.line

    def copies(self):
        """Servers that the operation has made."""
        return []

    def done(self, job):
        """After it came to its end: what is wrong, or ""."""
        return ""

    def undone(self, job):
        return ""


class Snapshot(Operation):
    line = "snapshot full"
    victims = ["console", "worker", "worker", "program", "server", "network"]
    server_names, links = ["db"], ["db"]

    def ready(self, n):
        start_server("db")
        return wait(20, lambda: sql("db", "SELECT 1") == "1")

    def backups(self):
        p = subprocess.run(conf["backrest"] + ["info", "--output=json"], **quiet)
        return json.loads(p.stdout)[0]["backup"]

    def made(self, job):
        return sum(b.get("annotation", {}).get("job") == str(job) for b in self.backups())

    def done(self, job):
        return "" if self.made(job) == 1 else f"{self.made(job)} backups"

    def undone(self, job):
        return "" if self.made(job) <= 1 else f"{self.made(job)} backups"


class Restore(Snapshot):
    victims = ["console", "worker", "worker", "program", "server", "copy", "network"]
    keeps_leftovers = True

    def words(self, n):
        self.name = f"copy{n}"
        return f"restore latest to {self.name}"

    def folder(self):
        return os.path.join(conf["restores"], self.name)

    def copies(self):
        return servers_in(conf["restores"])

    def remove(self):
        for pid in self.copies():
            kill(pid)
        wait(10, lambda: not self.copies())
        subprocess.run(["rm", "-rf", self.folder()])

    def rows(self, uri):
        rows = sql(uri, "SELECT count(*) FROM t")
        return "" if rows == "1000" else f"rows {rows!r}"

    def done(self, job):
        uri = result_of(job)["uri"]
        said = ""
        if len(self.copies()) == 0 and "copy" in struck_servers:    # killed once it was there
            said = start_again(self.folder() + "/data", ["-l", self.folder() + "/server.log"])
        problem = self.rows(uri) if len(self.copies()) == 1 else f"servers {self.copies()} {said}"
        self.remove()
        return problem

    def undone(self, job):
        left = os.path.exists(self.folder()) or self.copies()
        problem = f"{self.folder()} or its server {self.copies()} is there" if left else ""
        self.remove()
        return problem


class Pitr(Restore):
    """To a moment, an LSN, a named point between two commits."""

    def prepare(self):
        self.aims = []
        sql("db", "CREATE TABLE marks (id int)")
        for i in range(1, 9):
            sql("db", f"INSERT INTO marks VALUES ({i})")
            lsn = sql("db", "SELECT pg_current_wal_insert_lsn() FROM pg_logical_emit_message(false, 'x', 'y')")
            time.sleep(0.05)
            at = sql("db", "SELECT to_char(clock_timestamp(), 'YYYY-MM-DD HH24:MI:SS.US') || '+00'")
            time.sleep(0.05)
            self.aims += [(i, f"--lsn {lsn}"), (i, f"--at {at}")]
            if i % 3 == 0:
                pgmedic(f"point mark{seed}-{i}", "--yes", "--wait", target="db")
                self.aims.append((i, f"--point mark{seed}-{i}"))
        sql("db", "INSERT INTO marks VALUES (100)")
        segment = sql("db", "SELECT pg_walfile_name(pg_switch_wal())")
        wait(30, lambda: (sql("db", "SELECT last_archived_wal FROM pg_stat_archiver") or "") >= segment)

    def words(self, n):
        self.name = f"copy{n}"
        self.expected, aim = random.choice(self.aims)
        return f"restore {aim} to {self.name}"

    def rows(self, uri):
        rows = sql(uri, "SELECT count(*) || ' ' || max(id) FROM marks")
        return "" if rows == f"{self.expected} {self.expected}" else f"rows {rows!r}, wanted {self.expected}"


class Verify(Restore):
    line = "verify latest"
    keeps_leftovers = False

    def words(self, n):
        self.name = ""
        return self.line

    def remove(self):
        pass

    def left(self):
        entries = os.listdir(conf["restores"])
        return f"left: {entries} {self.copies()}" if entries or self.copies() else ""

    def done(self, job):
        result = result_of(job)
        marked = self.backups()[-1].get("annotation", {}).get("verified")
        if not result["passed"]:
            return self.left() or f"did not pass: {result}"
        return self.left() or ("" if marked else "passed, and the snapshot is not marked")

    def undone(self, job):
        return self.left()


class RestoreDrop(Restore):
    victims = ["console", "worker", "worker", "program", "copy"]
    keeps_leftovers = False

    def ready(self, n):
        if not super().ready(n):
            return False
        self.name = f"copy{n}"
        answer = pgmedic(f"restore latest to {self.name}", "--yes", "--wait", target="db")
        return answer["state"] == "done" or wrong.append(f"{n}: {answer}")

    def words(self, n):
        return f"restore drop {self.name}"

    def done(self, job):
        return Restore.undone(self, job)

    def undone(self, job):
        """Gone, or whole: what is half removed nobody can use."""
        if not os.path.exists(self.folder()):
            return Restore.undone(self, job)
        p = as_pg([pg_program("pg_ctl"), "-D", self.folder() + "/data", "-w", "-l", self.folder() + "/server.log", "restart"])
        rows = sql(f"postgresql://postgres@/postgres?host={self.folder()}&port=5432", "SELECT count(*) FROM t")
        self.remove()
        return "" if rows == "1000" else f"half removed: {rows!r} {p.stderr}"


class Kept(Snapshot):
    """With a repository of several backups, the same before each run."""
    victims = ["console", "worker", "worker", "program", "program", "server"]

    def prepare(self):
        for kind in ("full", "diff", "incr", "full"):
            p = subprocess.run(conf["backrest"] + [f"--type={kind}", "--log-level-console=warn", "backup"], **quiet)
            if p.returncode != 0:
                wrong.append(f"no {kind} backup: {p.stdout}")
        self.repo = os.path.join(os.path.dirname(conf["restores"]), "repo")
        self.all = [b["label"] for b in self.backups()]
        self.uses = {b["label"]: set(b.get("reference") or []) | {b["prior"]} - {None} for b in self.backups()}
        subprocess.run(["cp", "-a", self.repo, self.repo + ".kept"], check=True)

    def ready(self, n):
        if not super().ready(n):
            return False
        subprocess.run(["rm", "-rf", self.repo])
        subprocess.run(["cp", "-a", self.repo + ".kept", self.repo], check=True)
        return True

    def there(self):
        listed = [b["label"] for b in self.backups()]
        folders = [d for d in sorted(os.listdir(self.repo + "/backup/lab")) if re.match(r"\d{8}-", d)]
        return listed, folders

    def judge(self, gone, is_done):
        listed, folders = self.there()
        stays = [x for x in self.all if x not in gone]
        if listed != folders:
            return f"listed {listed}, folders {folders}"
        if is_done:
            return "" if listed == stays else f"listed {listed}, wanted {stays}"
        return "" if set(stays) <= set(listed) else f"listed {listed}, at least {stays} were to stay"

    def done(self, job):
        return self.judge(self.gone, True)

    def undone(self, job):
        return self.judge(self.gone, False)


class SnapshotDrop(Kept):
    def words(self, n):
        label = random.choice([x for x in self.all[1:]])
        self.gone = {label}
        for x in self.all:
            if self.uses[x] & self.gone:
                self.gone.add(x)
        return f"snapshot drop {label}"


class Retention(Kept):
    env = {"PGMEDIC_NOW": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 400 * 86400))}

    def words(self, n):
        self.gone = set(self.all[:-1])
        self.days = random.randint(2, 300)
        return f"backup retention daily {self.days} continuous 1"

    def done(self, job):
        kept = one("SELECT value FROM target_settings WHERE name = 'retention'") or ""
        return super().done(job) or ("" if f"daily {self.days} " in kept else f"{self.days} days are not kept: {kept!r}")


class Dump(Operation):
    victims = ["console", "worker", "worker", "program", "program", "server", "network"]
    server_names, links = ["db"], ["db"]

    def ready(self, n):
        start_server("db")
        return wait(20, lambda: sql("db", "SELECT 1") == "1")

    def words(self, n):
        self.name = f"dump{n}"
        return f"snapshot dump postgres --as {self.name}"

    def folder(self):
        return os.path.join(conf["dumps"], self.name)

    def remove(self):
        subprocess.run(["rm", "-rf", self.folder()])

    def done(self, job):
        """One, whole: its list has the table, its data the rows, its manifest each file."""
        p = as_pg([pg_program("pg_restore"), "-f", "-", "--data-only", "-t", "t", self.folder() + "/dump"])
        rows = len(re.findall(r"^\d+$", p.stdout, re.M))
        files = {os.path.relpath(f, self.folder()) for f in glob.glob(self.folder() + "/**", recursive=True)
                 if os.path.isfile(f)}
        named = open(self.folder() + "/manifest.json").read()
        lacks = [f for f in files if f != "manifest.json" and os.path.basename(f) not in named]
        others = [d for d in os.listdir(conf["dumps"]) if d != self.name]
        self.remove()
        return "" if rows == 1000 and not lacks and not others else f"{rows} rows, not in the manifest {lacks}, others {others}"

    def undone(self, job):
        problem = f"{self.folder()} is there" if os.path.exists(self.folder()) else ""
        self.remove()
        return problem


class DumpDrop(Dump):
    victims = ["console", "worker", "worker", "program"]

    def ready(self, n):
        if not super().ready(n):
            return False
        answer = pgmedic(Dump.words(self, n), "--yes", "--wait", target="db")
        for i in range(300):    # so that it takes a moment
            shutil.copy(self.folder() + "/dump/toc.dat", f"{self.folder()}/dump/more{i}")
        return answer["state"] == "done" or wrong.append(f"{n}: {answer}")

    def words(self, n):
        return f"snapshot drop dump{n}"

    def done(self, job):
        return Dump.undone(self, job)

    def undone(self, job):
        """Gone, or whole."""
        if not os.path.exists(self.folder()):
            return ""
        whole = os.path.exists(self.folder() + "/manifest.json") and os.path.exists(self.folder() + "/dump/more299")
        self.remove()
        return "" if whole else "half removed"


class Point(Operation):
    server_names, links = ["db"], ["db"]
    victims = ["console", "worker", "worker", "program", "server", "network"]

    def ready(self, n):
        start_server("db")
        return wait(20, lambda: sql("db", "SELECT 1") == "1")

    def words(self, n):
        self.name = f"point-{seed}-{n}"
        hi, lo = sql("db", "SELECT pg_current_wal_insert_lsn()").split("/")
        self.begin = f"{hi}/{int(lo, 16) >> 24:X}000000"
        return f"point {self.name}"

    def made(self):
        """Where in WAL, from the begin of the segment to its end: it stops with an error there."""
        p = as_pg([pg_program("pg_waldump"), "-p", data("db") + "/pg_wal", "-r", "XLOG", "-s", self.begin])
        return re.findall(rf"lsn: (\S+),.* RESTORE_POINT {self.name}", p.stdout)

    def done(self, job):
        known = journal("SELECT lsn FROM points WHERE name = ?", self.name)
        made = self.made()
        # A point whose LSN was lost with the process is made anew: the name means the later one.
        if len(known) != 1 or not 1 <= len(made) <= 2:
            return f"known {known}, in WAL {made}"
        hi, lo = made[-1].split("/")
        begins = int(hi, 16) << 32 | int(lo, 16)
        # Its LSN is the end of the record, which has 104 bytes; a page's header may be between.
        return "" if 0 < known[0][0] - begins < 512 else f"known {known[0][0]:x}, in WAL {made}"

    def undone(self, job):
        return "" if len(self.made()) <= 2 else f"in WAL {self.made()}"


class Set(Operation):
    server_names, links = ["db"], ["db"]
    victims = ["console", "worker", "worker", "server", "network"]

    def ready(self, n):
        start_server("db")
        return wait(20, lambda: sql("db", "SELECT 1") == "1")

    def now(self):
        """In the file, and in effect."""
        lines = [x for x in open(data("db") + "/postgresql.auto.conf").read().splitlines() if x.startswith("work_mem")]
        return lines, sql("db", "SHOW work_mem")

    def words(self, n):
        self.before = self.now()
        if self.before[0] and random.random() < 0.2:
            self.after = ([], "4MB")
            return "set work_mem DEFAULT"
        value = f"{random.randint(100, 900) * 8 + n % 8}kB"
        if self.before[1] == value:
            value = f"{8001 + n}kB"
        self.after = ([f"work_mem = '{value}'"], value)
        return f"set work_mem {value}"

    def done(self, job):
        return "" if self.now() == self.after else f"{self.now()}, wanted {self.after}"

    def undone(self, job):
        return "" if self.now() == self.before else f"{self.now()}, was {self.before}"


class Switchover(Operation):
    line, target = "switchover", "a"
    server_names = pair
    victims = ["console", "worker", "worker", "program", "server", "pooler", "network"]
    links = ["a", "b", "pooler"]

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
        return self.same(primary_of(), moves)

    def same(self, now, moves):
        rows = sql(now, "SELECT count(*) FROM t")
        if rows != self.rows:
            return f"{rows} rows, not {self.rows}"
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
    victims = ["console", "worker", "worker", "program", "server", "network"]
    links = ["a", "b"]

    def ready(self, n):
        if not super().ready(n):
            return False
        # All is there: or rows that the standby has not are lost, which a failover cannot help.
        self.other = pair[1 - pair.index(self.before)]
        self.server_names = [self.other]
        wait(10, lambda: sql(self.other, "SELECT count(*) FROM t") == self.rows)
        kill(postmaster(self.before))
        return wait(20, lambda: not postmaster(self.before) and
                    not any(data(self.before) in " ".join(w) for _, _, w in processes() if w and "postgres" in w[0]))

    def undone(self, job):
        """Given once more, where nothing has become of it."""
        if role(self.before) == "down" and primary_of() is None:
            answer = pgmedic(self.line, "--yes", "--wait", target=self.target)
            if answer["state"] != "done":
                return f"after undo: {answer}"
        elif role(self.before) == "down":
            make_pair_anew(self.other)  # it was promoted, and nobody was to follow any more
        return self.truth([1])


class Promote(Failover):
    def words(self, n):
        return f"promote {self.other}"

    def alone(self, roles):
        now = role(self.other)
        if now not in roles or postmaster(self.before):
            return f"{self.other} is {now}, {self.before} runs: {postmaster(self.before)}"
        return self.same(self.other, [1]) if now == "primary" else ""

    def done(self, job):
        problem = self.alone(["primary"])
        make_pair_anew(self.other)
        return problem

    def undone(self, job):
        problem = self.alone(["primary", "standby"])
        if role(self.other) == "primary":
            make_pair_anew(self.other)
        return problem


class Drill(Switchover):
    line = "drill failover"
    victims = ["console", "worker", "worker", "program", "probe", "server", "pooler", "network"]

    def done(self, job):
        problem = self.truth([2])
        result = result_of(job)
        if not problem and not result["restored"]:
            problem = f"not restored: {result}"
        return problem or ("" if primary_of() == self.before else f"{self.before} is not primary")

    def undone(self, job):
        return self.truth([0, 1, 2])


class Crash(Drill):
    line = "drill failover --kind crash"
    usual_s = 12.0


class Pool(Operation):
    target, links = "a", ["pooler"]
    victims = ["console", "worker", "worker", "pooler", "network"]
    keeps_leftovers = True

    def ready(self, n):
        start_pooler()
        if is_paused() and self.resumed():
            return False
        self.action = random.choice(["pause", "resume", "reconnect", "kill"])
        if self.action == "resume":
            answer = pgmedic("pool pause", "--yes", "--wait", target="a")
            return answer["state"] == "done" or wrong.append(f"{n}: {answer}")
        return not is_paused()

    def words(self, n):
        return "pool kill postgres" if self.action == "kill" else f"pool {self.action}"

    def resumed(self):
        words = ["pool resume postgres"] if self.action == "kill" else []
        for line in words + ["pool resume"]:
            answer = pgmedic(line, "--yes", "--wait", target="a")
            if answer["state"] != "done":
                return f"{line}: {answer}"
        if is_paused():
            return "paused after pool resume"
        left = journal("SELECT what FROM leftovers WHERE settled_at IS NULL")
        return f"left: {left}" if left else ""

    def done(self, job):
        stays = self.action in ("pause", "kill") and "pooler" not in struck_servers     # one that died begins anew
        problem = "" if is_paused() == stays or "pooler" in struck_servers else f"paused: {is_paused()} after {self.action}"
        return problem or self.resumed()

    def undone(self, job):
        left = journal("SELECT what FROM leftovers WHERE settled_at IS NULL")
        if is_paused() and not left:
            return "it is paused, and nobody knows"
        if is_paused() and self.action != "resume":
            return "it is paused"
        return self.resumed()


class ReplicaAdd(Operation):
    """A standby of its own, beside a server that has nothing else."""
    victims = ["console", "worker", "worker", "program", "server", "copy", "network"]
    server_names, links = ["db"], ["db", "copy"]

    def ready(self, n):
        start_server("db")
        self.name = f"r{n}"
        return wait(20, lambda: sql("db", "SELECT 1") == "1")

    def words(self, n):
        return f"replica add {self.name}" + self.port()

    def port(self):
        return f" --port {links['copy'].port}" if "copy" in links else ""

    def folder(self):
        return os.path.join(conf["restores"], self.name)

    def copies(self):
        return servers_in(conf["restores"])

    def slots(self):
        return sql("db", "SELECT slot_name FROM pg_replication_slots")

    def follows(self):
        """It takes what is written now, through its own slot, and nobody else does."""
        if not self.copies():   # killed once it was there
            said = start_again(self.folder() + "/data", ["-l", self.folder() + "/server.log"])
            if said:
                return f"does not start: {said}"
        if len(self.copies()) != 1:
            return f"servers {self.copies()}"
        lsn = sql("db", "INSERT INTO t VALUES (0); SELECT pg_current_wal_lsn()")
        streams = f"SELECT application_name || ' ' || slot_name || ' ' || (replay_lsn >= '{lsn}') " \
                  "FROM pg_stat_replication JOIN pg_replication_slots ON active_pid = pid"
        wanted = f"{self.name} pgmedic_{self.name} true"
        wait(30, lambda: sql("db", streams) == wanted)
        found = sql("db", streams)
        return "" if found == wanted and self.slots() == f"pgmedic_{self.name}" else f"streams {found!r}, slots {self.slots()!r}"

    def nothing(self):
        left = os.listdir(conf["restores"])
        return f"there are {left} {self.copies()} {self.slots()!r}" if left or self.copies() or self.slots() else ""

    def remove(self):
        for pid in self.copies():
            kill(pid)
        wait(10, lambda: not self.copies())
        subprocess.run(["rm", "-rf", self.folder()])
        if "copy" in links:     # what a killed server leaves is its port taken
            for path in glob.glob(os.path.dirname(data("db")) + f"/.s.PGSQL.{links['copy'].port}*"):
                os.unlink(path)
        sql("db", "SELECT pg_terminate_backend(pid) FROM pg_stat_replication")
        wait(10, lambda: sql("db", "SELECT count(*) FROM pg_replication_slots WHERE active") == "0")
        sql("db", "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")

    def done(self, job):
        problem = self.follows()
        self.remove()
        return problem

    def undone(self, job):
        problem = self.nothing()
        self.remove()
        return problem


class ReplicaDrop(ReplicaAdd):
    def ready(self, n):
        if not super().ready(n):
            return False
        answer = pgmedic(ReplicaAdd.words(self, n), "--yes", "--wait", target="db")
        return answer["state"] == "done" or wrong.append(f"{n}: {answer}")

    def words(self, n):
        return f"replica drop {self.name}"

    def done(self, job):
        return ReplicaAdd.undone(self, job)

    def undone(self, job):
        """Gone, or as it was: it streams again."""
        if not os.path.exists(self.folder()):
            return ReplicaAdd.undone(self, job)
        return ReplicaAdd.done(self, job)


kinds = {"snapshot": Snapshot, "restore": Restore, "pitr": Pitr, "verify": Verify, "restore-drop": RestoreDrop,
         "snapshot-drop": SnapshotDrop, "retention": Retention, "dump": Dump, "dump-drop": DumpDrop, "point": Point,
         "set": Set, "switchover": Switchover, "failover": Failover, "promote": Promote, "drill": Drill, "crash": Crash,
         "pool": Pool, "replica-add": ReplicaAdd, "replica-drop": ReplicaDrop}
