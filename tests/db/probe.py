"""A write probe that shares no code with pgmedic: probe.py PSQL URI TABLE LOG.

One psql is kept at the other end of a pipe; every 50 ms it inserts a row. LOG gets "N TIME LSN" for each that was acknowledged.
"""
import subprocess, sys, time

psql, uri, table, path = sys.argv[1:]
n, client = 0, None
with open(path, "a") as out:
    while True:
        begin = time.time()
        if client is None:
            client = subprocess.Popen([psql, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", uri], bufsize=1, text=True,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        n += 1
        try:
            client.stdin.write(f"INSERT INTO {table} VALUES ({n}) RETURNING pg_current_wal_lsn();\n")
            client.stdin.flush()
            answer = client.stdout.readline().strip()
        except OSError:
            answer = ""
        if answer:
            out.write(f"{n} {time.time():.4f} {answer}\n")
            out.flush()
        else:
            client.kill()
            client.wait()
            client = None
        time.sleep(max(0, 0.05 - (time.time() - begin)))
