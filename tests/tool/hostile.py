"""Hostile text for tests: SQL that puts it everywhere, and a judge of what a program writes because of it.

    hostile.py sql PART     SQL for psql, as bytes: utf8, ascii, latin1, session
    hostile.py judge        of standard input: what a terminal must not get, one finding a line
    hostile.py panes PROGRAM JOBS FOLDER ARGUMENT...
                            every pane in every format, to a pipe and to a terminal; findings, one a line
    hostile.py console PROGRAM KEYS ARGUMENT...
                            the console on a terminal: keys pressed one by one; findings, one a line
"""
import concurrent.futures
import csv
import fcntl
import io
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

OSC = "\x1b]52;c;UFdORUQ=\x07"
NAMES = [
    OSC + "osc", "\x1b[31mcsi\x1b[2J", "\x1bP0;1|17/ab\x1b\\dcs", "\u009b31mc1\u009d52;c;eA==\u009c",
    "bidi\u202egnp\u2066x\u2069\u200f\u061c", "line\nbreak\ttab\rreturn\x07\x08\x7f", "\"quoted\" 'it''s' `x` $y$ \\z %s",
    "-- ; DROP", "\U0001f600 \u0639\u0631\u0628\u064a\u0629 \u4f60\u597d e\u0301 \u2028\u2029\ufeff",
    "x" * 63, "\U0001f469\u200d\U0001f469\u200d\U0001f467" + "\u0301" * 8, " ",
]
BYTES = b"bad\xff\xfe\xc3(\xed\xa0\x80\x1b]52;c;eA==\x07\x9b31m"


def ident(name):
    return b'"' + (name if isinstance(name, bytes) else name.encode()).replace(b'"', b'""') + b'"'


def literal(text):
    raw = text if isinstance(text, bytes) else text.encode()
    return b"E'" + raw.replace(b"\\", b"\\\\").replace(b"'", b"''") + b"'"


def objects(names):
    out = []
    for n in names:
        i = ident(n)
        out.append(b"CREATE ROLE " + i + b" LOGIN;")
        out.append(b"CREATE SCHEMA " + i + b";")
        out.append(b"CREATE TABLE " + i + b"." + i + b" (" + i + b" int PRIMARY KEY);")
        out.append(b"CREATE INDEX " + ident((n if isinstance(n, bytes) else n.encode())[:40] + b"_i") + b" ON " + i + b"." + i + b" (" + i + b");")
        out.append(b"GRANT ALL ON SCHEMA " + i + b" TO " + i + b";")
        out.append(b"SELECT " + literal(n) + b" AS " + i + b";")
        out.append(b"ALTER ROLE " + i + b" SET search_path = " + i + b", public;")
    return out


def sql(part):
    if part == "utf8":
        out = objects(NAMES)
        for n in NAMES[:7]:
            out.append(b"CREATE DATABASE " + ident(n) + b";")
        for n in NAMES:
            out.append(b"BEGIN; INSERT INTO " + ident(n) + b"." + ident(n) + b" VALUES (1); PREPARE TRANSACTION " + literal(n) + b";")
        out.append(b"CREATE PUBLICATION " + ident(NAMES[0]) + b";")
        out.append(b"CREATE SUBSCRIPTION " + ident(NAMES[1]) + b" CONNECTION 'host=127.0.0.1 port=1' PUBLICATION x WITH (connect = false);")
        out.append(b"CREATE FUNCTION shout() RETURNS int IMMUTABLE LANGUAGE plpgsql AS $_$ BEGIN RAISE NOTICE " +
                   literal(NAMES[0]) + b"; RAISE EXCEPTION " + literal(NAMES[1] + NAMES[0]) + b" USING HINT = " + literal(NAMES[3] + NAMES[4]) + b"; END $_$;")
        out.append(b"ALTER SYSTEM SET log_line_prefix = " + literal("\x1b]52;c;eA==\x07\u009b31m\u202e") + b"; SELECT pg_reload_conf();")
        out.append(b"SELECT 1 /* " + b"long " * 200000 + b"*/;")
    elif part == "ascii":
        out = objects([BYTES])
        out.append(b"CREATE DATABASE " + ident(BYTES + b"db") + b" TEMPLATE template0 ENCODING 'SQL_ASCII';")
    elif part == "latin1":
        out = [b"CREATE TABLE " + ident(b"caf\xe9 \x9b31m") + b" (" + ident(b"\x85\x9d52;c;x") + b" int);", b"SELECT '\xe9\x9b31m';"]
    else:
        out = [b"SELECT pg_sleep(600), '" + BYTES + b"', '" + OSC.encode() + NAMES[3].encode() + NAMES[4].encode() + b"', '" + b"y" * 900000 + b"';"]
    return b"\n".join(out) + b"\n"


csv.field_size_limit(1 << 28)
BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def judge_text(raw):
    """What is wrong with text for a terminal; colours (SGR) are the program's own."""
    raw = re.sub(rb"\x1b\[[0-9;:]*m", b"", raw.replace(b"\r\n", b"\n"))
    found = []
    for m in re.finditer(rb"[\x00-\x09\x0b-\x1f\x7f]", raw):
        found.append("control byte %#x in %r" % (raw[m.start()], raw[max(0, m.start() - 30):m.start() + 30]))
        break
    try:
        text = raw.decode()
    except UnicodeDecodeError as e:
        return found + ["invalid UTF-8 %s in %r" % (e, raw[max(0, e.start - 30):e.start + 30])]
    m = re.search("[\u0080-\u009f]", text)
    if m:
        found.append("C1 in %r" % text[max(0, m.start() - 30):m.start() + 30])
    m = BIDI.search(text) or re.search("[\u2028\u2029]", text)
    if m:
        found.append("bidi or line control in %r" % text[max(0, m.start() - 30):m.start() + 30])
    return found


ALLOWED = re.compile(
    rb"\x1b\[[0-9;:?>=!]*[A-Za-z@`]|\x1b[()][0AB]|\x1b[=>78MDEH]|[\x08\x09\x0a\x0d\x0e\x0f]")


def judge_screen(raw):
    """What is wrong with what a curses program wrote."""
    rest = ALLOWED.sub(b"", raw)
    found = []
    m = re.search(rb"[\x00-\x1f\x7f]", rest)
    if m:
        found.append("control %#x in %r" % (rest[m.start()], rest[max(0, m.start() - 30):m.start() + 40]))
    text = rest.decode(errors="replace")
    for what, pattern in (("C1", "[\u0080-\u009f]"), ("bidi", BIDI.pattern)):
        m = re.search(pattern, text)
        if m:
            found.append("%s in %r" % (what, text[max(0, m.start() - 30):m.start() + 30]))
    return found


def open_terminal(args, rows, columns):
    pid, fd = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm-256color"
        os.execvp(args[0], args)
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    return pid, fd


def read_all(fd):
    out = b""
    while True:
        try:
            part = os.read(fd, 65536)
        except OSError:
            return out
        if not part:
            return out
        out += part


def run(args, terminal):
    if not terminal:
        p = subprocess.run(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return p.returncode, p.stdout, p.stderr
    r, w = pty.openpty()
    fcntl.ioctl(w, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
    p = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=w, stderr=w, close_fds=True)
    os.close(w)
    out = read_all(r)
    os.close(r)
    return p.wait(), out, b""


def check_pane(program, pane, form, terminal, args):
    status, out, err = run([program, "show", pane, "--all"] + ([form] if form else []) + args, terminal)
    what = "%s %s%s: " % (pane, form or "text", " to a terminal" if terminal else "")
    found = [] if status == 0 else ["status %d %r" % (status, (err or out)[:300])]
    if not out:
        return [what + "nothing"]
    if terminal:
        found += judge_text(out)
    elif form != "--csv":
        found += judge_text(out)
    found += judge_text(err)
    try:
        if form == "--json":
            text = out.decode()
            rows = json.loads(text)["rows"]
            if pane in ("activity", "tables", "databases", "statements") and not rows:
                found.append("no rows")
        elif form == "--csv":
            widths = {len(r) for r in csv.reader(io.StringIO(out.decode().replace("\r\n", "\n"), newline=""))}
            if len(widths) != 1:
                found.append("rows of %s fields" % sorted(widths))
    except ValueError as e:
        found.append("cannot be read: %s" % e)
    return [what + f for f in found]


def panes(program, jobs, args):
    names = "overview activity waits locks statements replication tables indexes maintenance databases settings pools storage alerts advice logs".split()
    work = [(p, f, t) for p in names for f in ("", "--json", "--csv") for t in (False, True)]
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for found in pool.map(lambda w: check_pane(program, *w, args), work):
            for f in found:
                print(f)


def until_quiet(fd, most, quiet=0.7):
    out, end = b"", time.monotonic() + most
    while time.monotonic() < end:
        ready, _, _ = select.select([fd], [], [], quiet)
        if not ready:
            break
        try:
            out += os.read(fd, 65536)
        except OSError:
            break
    return out


def console(program, keys, args):
    pid, fd = open_terminal([program] + args, 40, 160)
    raw = until_quiet(fd, 5)
    for key in keys.split():
        os.write(fd, {"Enter": b"\r", "Esc": b"\x1b", "Down": b"\x1b[B", "Right": b"\x1b[C"}.get(key, key.encode()))
        raw += until_quiet(fd, 2)
    os.write(fd, b"\x1b")
    raw += until_quiet(fd, 1.5)
    os.write(fd, b"q")
    raw += read_all(fd)
    _, status = os.waitpid(pid, 0)
    for f in judge_screen(raw):
        print("console: " + f)
    if status != 0:
        print("console: status", status)
    if len(raw) < 5000:
        print("console: too little was written: %d bytes" % len(raw))
    sys.stderr.buffer.write(raw)


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    what = sys.argv[1]
    if what == "sql":
        sys.stdout.buffer.write(sql(sys.argv[2]))
    elif what == "judge":
        print("\n".join(judge_text(sys.stdin.buffer.read())))
    elif what == "panes":
        panes(sys.argv[2], int(sys.argv[3]), sys.argv[4:])
    else:
        console(sys.argv[2], sys.argv[3], sys.argv[4:])
