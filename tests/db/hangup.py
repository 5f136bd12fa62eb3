"""hangup.py STEP JOURNAL COMMAND...: the command on a terminal of its own, which goes away once its job is in that step.

Prints the job's number.
"""
import os, pty, sqlite3, sys, time

step, journal, command = sys.argv[1], sys.argv[2], sys.argv[3:]


def ask(text, *args):
    try:
        db = sqlite3.connect(journal, timeout=10)
        row = db.execute(text, args).fetchone()
        db.close()
        return row[0] if row else None
    except sqlite3.OperationalError:
        return None


before = ask("SELECT max(id) FROM acts") or 0
pid, terminal = pty.fork()
if pid == 0:
    os.execv(command[0], command)
end = time.time() + 60
job = None
while time.time() < end:
    job = job or ask("SELECT max(id) FROM acts WHERE id > ?", before)
    if job and ask("SELECT 1 FROM job_steps WHERE job = ? AND name = ?", job, step):
        break
    time.sleep(0.01)
os.close(terminal)      # SIGHUP to all of that session
os.waitpid(pid, 0)
print(job)
