"""kill -9 at random moments while one operation runs, again and again; then what must hold is looked at.

    ops_kill.py CONFIG.json OPERATION COUNT SEED

Killed are the console, the job's process, a program that it runs, the drill's probe, a server, a copy's server, PgBouncer;
the network is cut or frozen for a while. Half of the moments are taken from the whole time that the operation needs, half
from one of its steps, each as likely. Afterwards `jobs` has to tell the truth, and `job resume` (or `job undo`) has to end
it: nothing done twice, nothing lost, nothing left behind. COUNT counts the runs in which somebody was struck.
CONFIG.json is made by ops_kill_test.sh: pgmedic, psql, pg_bin, as_pg (words before a command that make it run as the
servers' owner), servers {name: {port, data, options}}, backrest (words), restores, dumps, pooler {admin, start}.
"""
import random, subprocess, sys, time

sys.dont_write_bytecode = True
from ops_kill_kinds import *

FEW = 5     # of less, none is spent on learning
killed, where, ends, again = {}, {}, {}, 0
durations = {}      # of the steps, of the last run that nobody disturbed


def victim_pids(what, job, front):
    worker = one("SELECT pid FROM acts WHERE id = ? AND finished_at IS NULL", job) if job else None
    if what == "console":
        return [front.pid] if front.poll() is None else []
    if what == "worker":
        return [worker] if worker else []
    if what in ("program", "probe"):
        own = [(p, w) for p, w in (descendants(worker) if worker else []) if w]
        random.shuffle(own)
        # The probe is the worker itself, forked.
        is_probe = lambda w: os.path.basename(w[0]).startswith("pgmedic") or "--job" in w
        return [p for p, w in own if is_probe(w) == (what == "probe")]
    if what == "server":
        server = random.choice(op.server_names)
        if postmaster(server):
            struck_servers.add(server)
            return [postmaster(server)]
        return []
    if what == "copy":
        pids = op.copies()
        if pids:
            struck_servers.add("copy")
        return pids
    if pooler_pids():
        struck_servers.add("pooler")
    return pooler_pids()


def strike(what, job, front):
    """Kills one; some are only there for moments: they are waited for a little. What was struck, or ""."""
    if what == "network":
        name = random.choice(op.links)
        if name not in links or front.poll() is not None:
            return ""
        how, seconds = random.choice(["cut", "freeze"]), random.choice([0.2, 1, 3, 6])
        links[name].fault(how, seconds)
        return f"network ({how} {name} for {seconds} s)"
    end = time.time() + (2 if what in ("program", "probe", "copy") else 0.2)
    while time.time() < end:
        for pid in victim_pids(what, job, front):
            if kill(pid):
                return what
        if front.poll() is not None:
            break
        time.sleep(0.01)
    return ""


def step_of(job):
    return one("SELECT name FROM job_steps WHERE job = ? ORDER BY began_at DESC LIMIT 1", job) if job else None


class Moment:
    """When to strike: after a while, or after a while of a step."""

    def __init__(self):
        self.step = random.choice(list(durations)) if durations and random.random() < 0.5 else None
        self.after = random.uniform(0, max(durations[self.step], 0.02) if self.step else op.usual_s)

    def wait(self, began, before, front):
        while front.poll() is None:
            if not self.step and time.time() - began >= self.after:
                return
            job = one("SELECT max(id) FROM acts WHERE id > ?", before) if self.step else None
            if job and one("SELECT count(*) FROM job_steps WHERE job = ? AND name = ?", job, self.step):
                time.sleep(self.after)
                return
            time.sleep(0.004)


def learn(job, seconds):
    """From a run that nobody disturbed."""
    op.usual_s = seconds
    durations.clear()
    for name, began, ended in journal("SELECT name, began_at, ended_at FROM job_steps WHERE job = ?", job):
        durations[name] = max(0.0, ((ended or began) - began) / 1e6)


def check_jobs(job):
    """What `job` says of it, and that `jobs` lists what is to be looked after."""
    state = pgmedic(f"job {job}")["state"]
    listed = {j["id"]: j for j in json.loads(subprocess.run([conf["pgmedic"], "jobs", "--json"], **quiet).stdout)}
    left = one("SELECT count(*) FROM leftovers WHERE job = ? AND settled_at IS NULL", job)
    # One that was under way may have ended meanwhile.
    if state == "running" and job not in listed:
        state = pgmedic(f"job {job}")["state"]
    if (state in ("lost", "running") or left) and job not in listed:
        wrong.append(f"job {job} is {state} with {left} leftovers, and jobs does not list it")
    held = subprocess.run(["fuser", "-s", os.path.join(state_dir, "jobs", f"{job}.lock")], **quiet).returncode == 0 \
        if os.path.exists("/usr/bin/fuser") or os.path.exists("/bin/fuser") else None
    if state == "lost" and held:
        wrong.append(f"job {job} is called lost, and its process lives")
    return state


def check_told(job, front):
    """What the console that waited has said is what the journal says."""
    if front.returncode is None or front.returncode < 0 or not job:
        return
    text = front.stdout.read()
    try:
        told = json.loads(text)
    except json.JSONDecodeError:
        wrong.append(f"job {job}: the console says {text!r} {front.stderr.read()!r}")
        return
    known = one("SELECT state FROM acts WHERE id = ?", job)
    if told["job"] != job or told["state"] not in (known, "done" if known == "partly" else known):
        wrong.append(f"job {job} is {known}, the console says {told['job']} {told['state']} {told.get('error')}")


def world_again():
    """As init systems and networks come back."""
    mend_links()
    for s in op.server_names:
        restart_after_kill(s)
    if conf.get("pooler"):
        start_pooler()


def settle(job, tries):
    """To its end by `job resume`, or back by `job undo`."""
    wants_undo = random.random() < 0.35
    for _ in range(8):
        state = check_jobs(job)
        end = time.time() + 200
        began = time.time()
        while state == "running" and time.time() < end:
            time.sleep(0.1)
            if time.time() - began > 20:
                world_again()
                began = time.time()
            state = pgmedic(f"job {job}")["state"]
        left = one("SELECT count(*) FROM leftovers WHERE job = ? AND settled_at IS NULL", job)
        act = one("SELECT state FROM acts WHERE id = ?", job)
        if act == "partly" and not left:
            return "undone"
        if act == "done":
            return "done"
        if state == "refused" and not left:
            return "undone"     # a plan that did not hold, a gate: nothing was done
        world_again()
        how = "undo" if wants_undo else "resume"
        answer = pgmedic(f"job {how} {job}", "--yes", "--wait", target=op.target, env=op.env)
        tries.append(f"{how}: {answer['state']} {(answer.get('error') or {}).get('what', '')}")
        if len(tries) >= 4 and not wants_undo:
            wants_undo = True   # what cannot go on has to be able to go back
    wrong.append(f"job {job} does not end: {tries}")
    return "stuck"


def explain(job):
    for name, state, detail in journal("SELECT name, state, detail FROM job_steps WHERE job = ? ORDER BY began_at", job):
        print(f"    step {name} {state} {detail}")
    for name, value in journal("SELECT name, value FROM job_facts WHERE job = ?", job):
        print(f"    fact {name} {value!r:.200}")
    for what, settled in journal("SELECT what, settled_at FROM leftovers WHERE job = ?", job):
        print(f"    left {what} {'settled' if settled else 'NOT settled'}")
    print(f"    {journal('SELECT state, detail FROM acts WHERE id = ?', job)}", flush=True)


def judge(job, end):
    problem = op.done(job) if end == "done" else op.undone(job) if end == "undone" else ""
    left = journal("SELECT what FROM leftovers WHERE job = ? AND settled_at IS NULL", job)
    if left and end != "stuck" and not op.keeps_leftovers:
        problem = problem or f"left behind: {left}"
    if not wait(20, lambda: not strays()):
        problem = problem or f"processes: {strays()}"
    p = subprocess.run([conf["pgmedic"], "journal", "verify"], **quiet)
    if p.returncode != 0:
        problem = problem or f"journal verify: {p.stdout} {p.stderr}"
    return problem


def disturb(front, began, before):
    """Who was struck, and in which step."""
    told = []
    for _ in range(random.choice([1, 1, 1, 2])):
        what = random.choice(op.victims)
        Moment().wait(began, before, front)
        job = one("SELECT max(id) FROM acts WHERE id > ?", before)
        step = step_of(job)
        struck = strike(what, job, front)
        if struck:
            killed[what] = killed.get(what, 0) + 1
            where[step] = where.get(step, 0) + 1
            told.append(f"{struck}{sorted(struck_servers) if what == 'server' else ''} in {step}")
    return told


def run_once(n, is_disturbed):
    """True: somebody was struck."""
    global again
    nwrong, tries, problem = len(wrong), [], ""
    if not op.ready(n):
        wrong.append(f"{n}: cannot begin")
        return True
    struck_servers.clear()
    before = one("SELECT max(id) FROM acts") or 0
    began = time.time()
    front = subprocess.Popen([conf["pgmedic"], "run", op.words(n), op.target, "--json", "--yes", "--wait"],
                             env={**os.environ, **(op.env or {})}, **quiet)
    told = disturb(front, began, before) if is_disturbed else []
    try:
        front.wait(20)
    except subprocess.TimeoutExpired:
        world_again()   # nobody leaves a server down for long
    try:
        front.wait(300)
    except subprocess.TimeoutExpired:
        wrong.append(f"{n}: {told}: the console does not end")
        front.kill()
        front.wait()
    seconds = time.time() - began
    job = one("SELECT max(id) FROM acts WHERE id > ?", before)
    check_told(job, front)
    mend_links()
    if job is None:
        # Nothing was written: nothing was done.
        world_again()
        problem, end = op.undone(0), "nothing"
    else:
        end = settle(job, tries)
        world_again()
        problem = judge(job, end)
        if not told and end == "done" and not tries:
            learn(job, seconds)
    if not told and end != "done":
        problem = problem or f"nobody was struck, and it is not done: {front.stdout.read()}"
    ends[end] = ends.get(end, 0) + 1
    again += len(tries) > 1
    if os.environ.get("PGMEDIC_KILL_SAY"):
        print(f"{n}: job {job}: {', '.join(told) or 'nobody'}: {end} {problem}{tries if len(tries) > 1 else ''}", flush=True)
    if problem:
        wrong.append(f"{n}: job {job}: {', '.join(told)}: {end}, {problem}")
    for line in wrong[nwrong:]:
        print("WRONG", line)
    if len(wrong) > nwrong and job:
        print(f"    {tries}")
        explain(job)
    return bool(told)


op = kinds[operation]()
make_links()
op.prepare()
start = time.time()
n = struck = 0
if count >= FEW:
    run_once(n, False)      # to know how long it takes
while struck < count and n < (4 * count if count >= FEW else count) and len(wrong) < 10:
    n += 1
    struck += run_once(n, True)
print(f"{operation}: seed {seed}, {struck} runs struck of {n} in {time.time() - start:.0f} s, killed {killed}, in {where}, "
      f"ended {ends}, {again} needed more than one resume or undo, {len(wrong)} wrong")
for pid in pooler_pids() if conf.get("pooler") else []:
    kill(pid)
for w in wrong:
    print("WRONG", w)
sys.exit(bool(wrong))
