"""Which programs show a secret: watch_secrets.py STOP OUT FILE_OF_SECRETS

Until the file STOP is there the arguments and the environment of every process of this machine are looked through, again
and again. OUT gets a line "argv|env NAME VARIABLE" for each that has a secret. Not looked at: this process and what it
descends from (the test itself), and the environment of pgmedic, which is given one. pgBackRest finds its own keys there.
"""
import os, sys, time

stop, path, words = sys.argv[1:]
secrets = open(words, "rb").read().split()
found, ours, pid = set(), set(), os.getpid()
while pid > 1:
    ours.add(pid)
    pid = int(open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[1])
while not os.path.exists(stop):
    time.sleep(0.02)
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) in ours:
            continue
        try:
            words = open(f"/proc/{name}/cmdline", "rb").read()
            env = open(f"/proc/{name}/environ", "rb").read()
            program = os.path.basename(os.readlink(f"/proc/{name}/exe"))
        except OSError:
            continue
        for s in secrets:
            if s in words:
                found.add(f"argv {program} {words[:200]!r}")
        if program in ("pgmedic", "env"):
            continue
        for entry in env.split(b"\0"):
            if not any(s in entry for s in secrets) or (program == "pgbackrest" and entry.startswith(b"PGBACKREST_")):
                continue
            found.add(f"env {program} {entry.split(b'=')[0].decode()}")
with open(path, "w") as out:
    out.writelines(line + "\n" for line in sorted(found))
