"""The world of ops_kill.py: what is there, told by the servers, the processes and the files, never by pgmedic; and the
network between pgmedic and its servers, which can be cut and frozen."""
import json, os, random, re, selectors, signal, socket, sqlite3, struct, subprocess, sys, threading, time

conf = json.load(open(sys.argv[1]))
operation, count, seed = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
random.seed(f"{operation} {seed}")
state_dir = os.path.join(os.environ["XDG_STATE_HOME"], "pgmedic")
quiet = dict(stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
wrong = []
struck_servers = set()
pair = ["a", "b"]


# ------------------------------------------------------------------ the journal

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


def result_of(job):
    return json.loads(one("SELECT result FROM jobs WHERE act = ?", job))


def pgmedic(line, *options, target=None, env=None):
    words = [conf["pgmedic"], "run", line] + ([target] if target else []) + ["--json", *options]
    p = subprocess.run(words, timeout=600, env={**os.environ, **(env or {})}, **quiet)
    try:
        return json.loads(p.stdout)
    except json.JSONDecodeError:
        return {"state": "?", "error": {"what": p.stdout + p.stderr}}


# ------------------------------------------------------------------ servers

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


def as_pg(words):
    return subprocess.run(conf["as_pg"] + words, **quiet)


def pg_program(name):
    return os.path.join(conf["pg_bin"], name)


def postmaster(server):
    return postmaster_in(data(server))


def postmaster_in(folder):
    try:
        pid = int(open(os.path.join(folder, "postmaster.pid")).readline())
        os.kill(pid, 0)
        if open(f"/proc/{pid}/comm").read().strip() != "postgres":
            return 0
        return pid
    except (OSError, ValueError):
        return 0


def is_standby_on_disk(server):
    return os.path.exists(os.path.join(data(server), "standby.signal"))


def start_server(server):
    """As an init system would; not where that makes two primaries."""
    other = pair[1 - pair.index(server)] if server in pair else None
    if postmaster(server):
        return
    if other and not is_standby_on_disk(server) and role(other) == "primary":
        return
    said = start_again(data(server), conf["servers"][server]["options"])
    if said:
        wrong.append(f"server {server} does not start again: {said}")


def start_again(folder, options):
    """What pg_ctl says, or "" when it runs: what a killed postmaster has left must be gone first."""
    for _ in range(50):
        p = as_pg([pg_program("pg_ctl"), "-D", folder, "-w", *options, "start"])
        if p.returncode == 0:
            return ""
        time.sleep(0.2)
    return f"{p.stdout} {p.stderr}"


def restart_after_kill(server):
    if server in struck_servers:
        wait(10, lambda: not postmaster(server) or role(server) != "down")
        start_server(server)


# ------------------------------------------------------------------ processes

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


def descendants(pid):
    """With their words, the children first."""
    all_of, found = list(processes()), []
    wanted = [pid]
    while wanted:
        wanted = [p for p, parent, _ in all_of if parent in wanted]
        found += [(p, w) for p, _, w in all_of if p in wanted]
    return found


def servers_in(folder):
    """Postmasters of data directories below a folder."""
    return [p for p, parent, w in processes() if w and os.path.basename(w[0]) == "postgres"
            and any(x.startswith(folder) for x in w)]


def strays():
    """Programs of jobs that no job runs any more: what they work on is below our folder."""
    home = os.environ["TMPDIR"]
    names = ("pgbackrest", "pg_dump", "pg_dumpall", "pg_restore", "pg_basebackup", "pg_rewind", "pg_amcheck", "pg_checksums",
             "pg_controldata", "rm", "cp", "mv", "tee")
    found = []
    for pid, _, w in processes():
        name = os.path.basename(w[0]) if w else ""
        if name in names and any(home in x for x in w) and not any("archive-" in x for x in w):
            found.append(f"{name} {' '.join(w[1:])[:120]}")
        elif name == "pgmedic" and "--job" in w and home in environment(pid):
            found.append(f"pgmedic {w[1:]}")
    return found


def environment(pid):
    try:
        return open(f"/proc/{pid}/environ", "rb").read().decode(errors="replace")
    except OSError:
        return ""


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


# ------------------------------------------------------------------ PgBouncer

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
    """By its list, or by a client that waits: a pause of all databases is not in the list."""
    p = subprocess.run([conf["psql"], "-X", "-A", "-q", "-d", conf["pooler"]["admin"], "-c", "SHOW DATABASES"], **quiet)
    lines = [line.split("|") for line in p.stdout.splitlines()]
    if any(dict(zip(lines[0], line)).get("paused") == "1" for line in lines[1:]):
        return True
    words = [conf["psql"], "-X", "-A", "-t", "-q", "-d", conf["pooler"]["admin"].replace("/pgbouncer", "/postgres"), "-c", "SELECT 1"]
    try:
        subprocess.run(words, timeout=4, **quiet)
        return False
    except subprocess.TimeoutExpired:
        return True


# ------------------------------------------------------------------ a pair

def pair_roles():
    return {s: role(s) for s in pair}


def primary_of():
    return next((s for s in pair if role(s) == "primary"), None)


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
        make_pair_anew(primary_of() or pair[0])
    sql(primary_of(), "CREATE TABLE IF NOT EXISTS t (id serial PRIMARY KEY); INSERT INTO t DEFAULT VALUES")
    return True


configuration = {s: open(os.path.join(data(s), "postgresql.conf")).read() for s in pair if s in conf["servers"]}


def make_pair_anew(primary):
    """The other one by a base backup; its own configuration is kept."""
    other = pair[1 - pair.index(primary)]
    folder = data(other)
    as_pg([pg_program("pg_ctl"), "-D", folder, "-m", "immediate", "-w", "stop"])
    own = configuration[other]
    start_server(primary)
    sql(primary, "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active")
    sql(primary, "DROP SCHEMA IF EXISTS pgmedic CASCADE")
    subprocess.run(["rm", "-rf", folder, folder + ".pgmedic-kept", folder + ".pgmedic-kept.part"])
    p = as_pg([pg_program("pg_basebackup"), "-D", folder, "-h", "127.0.0.1", "-p", str(conf["servers"][primary]["port"]),
               "-U", "postgres", "-R", "-X", "stream", "-c", "fast", "-C", "-S", other])
    if p.returncode != 0:
        wrong.append(f"the pair cannot be made anew: {p.stderr}")
        return
    with open(os.path.join(folder, "postgresql.conf"), "w") as f:
        f.write(own)
    start_server(other)
    if not wait(30, lambda: pair_is_well() == ""):
        wrong.append(f"made anew: {pair_is_well()}")


# ------------------------------------------------------------------ the network

class Link(threading.Thread):
    """127.0.0.2 PORT to 127.0.0.1 PORT, as long as nobody cuts or freezes it. Same port: some gates compare it."""

    def __init__(self, port, is_there=lambda: True):
        super().__init__(daemon=True)
        self.port, self.is_there, self.lock = port, is_there, threading.Lock()
        self.pairs, self.out = {}, {}   # each socket's other side, and what is still to be sent to it
        self.state, self.until = "up", 0.0
        self.listener = self.listen() if is_there() else None
        self.start()

    def listen(self):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.2", self.port))
        s.listen(64)
        s.setblocking(False)
        return s

    def fault(self, state, seconds):
        with self.lock:
            self.state, self.until = state, time.time() + seconds

    def mend(self):
        with self.lock:
            self.until = 0.0
        wait(5, lambda: self.state == "up" and (self.listener is not None or not self.is_there()))

    def connect(self, selector):
        client, _ = self.listener.accept()
        server = socket.socket()
        try:
            server.connect(("127.0.0.1", self.port))
        except OSError:
            self.reset(client)
            return
        for x, y in ((client, server), (server, client)):
            x.setblocking(False)
            self.pairs[x], self.out[x] = y, bytearray()
            selector.register(x, selectors.EVENT_READ)

    def reset(self, s):
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()

    def drop(self, s, selector, reset=False):
        for x in (s, self.pairs.get(s)):
            if x in self.pairs:
                del self.pairs[x], self.out[x]
                selector.unregister(x)
                self.reset(x) if reset else x.close()

    def send(self, s, selector):
        """What fits: who waits for one connection must not hold up the others."""
        try:
            del self.out[s][:s.send(self.out[s])]
        except BlockingIOError:
            pass
        selector.modify(s, selectors.EVENT_READ | (selectors.EVENT_WRITE if self.out[s] else 0))

    def pump(self, s, events, selector):
        other = self.pairs[s]
        try:
            if events & selectors.EVENT_WRITE:
                self.send(s, selector)
            if not events & selectors.EVENT_READ:
                return
            text = s.recv(1 << 16)
            self.out[other] += text
            if text:
                self.send(other, selector)
                return
            other.settimeout(5)
            other.sendall(self.out[other])
        except BlockingIOError:
            return
        except OSError:
            pass
        self.drop(s, selector)

    def turn(self, selector):
        """What a fault asks for; True: nothing passes now."""
        with self.lock:
            if self.state != "up" and time.time() >= self.until:
                self.state = "up"
            state = self.state if self.is_there() else "cut"
        if state == "cut" and self.listener:
            selector.unregister(self.listener)
            self.listener.close()
            self.listener = None
            for s in list(self.pairs):
                self.drop(s, selector, reset=True)
        if state == "up" and not self.listener:
            self.listener = self.listen()
            selector.register(self.listener, selectors.EVENT_READ)
        return state != "up"

    def run(self):
        selector = selectors.DefaultSelector()
        if self.listener:
            selector.register(self.listener, selectors.EVENT_READ)
        while True:
            if self.turn(selector):
                time.sleep(0.01)
                continue
            for key, events in selector.select(0.02):
                if key.fileobj is self.listener:
                    self.connect(selector)
                elif key.fileobj in self.pairs:
                    self.pump(key.fileobj, events, selector)


links = {}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def make_links():
    """Between pgmedic and all that its configuration names; none where there is only one loopback address."""
    ports = {name: s["port"] for name, s in conf["servers"].items()}
    if conf.get("pooler"):
        ports["pooler"] = int(re.search(r":(\d+)/", conf["pooler"]["admin"]).group(1))
    if operation.startswith("replica-"):
        ports["copy"] = free_port()
    try:
        for name, port in ports.items():
            # The port of a copy is free until there is one.
            links[name] = Link(port, (lambda: servers_in(conf["restores"])) if name == "copy" else lambda: True)
    except OSError as error:
        print(f"no network to cut: {error}")
        links.clear()
        return
    path = os.path.join(os.environ["XDG_CONFIG_HOME"], "pgmedic", "pgmedic.conf")
    text = open(path).read().replace("host=127.0.0.1", "host=127.0.0.2")
    open(path, "w").write(text)


def mend_links():
    for link in links.values():
        link.mend()
