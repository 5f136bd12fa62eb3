#!/usr/bin/env python3
"""tuibench - measure a terminal program that watches a PostgreSQL server.

Written to set pgmedic beside its peers (pg_activity, pg_top, pgcenter, psql's
\\watch) in one and the same run.  It starts the program on a pseudo-terminal,
puts a TCP relay between the program and the server, and says what a refresh
costs: on the terminal (bytes over the SSH session), on the machine (CPU, memory),
on the network (round trips, bytes) and on the server (statements, time, buffers,
CPU of the program's own backends); and how fast a key press shows on the screen,
in quiet times, while the server is frozen, and while the connection is gone.

Needs python3 (3.9 or later, standard library only), psql, Linux (/proc).

  tuibench.py run --name pgmedic --cmd 'pgmedic -h {host} -p {port} -U {role} -d {dbname}' ...
  tuibench.py suite --tools tools.json --repeat 3 --out results.jsonl [run options]
  tuibench.py compare results.jsonl

doc/benchmarks.md explains the figures.
"""

from __future__ import annotations

import argparse
import codecs
import collections
import fcntl
import json
import os
import pty
import random
import re
import select
import selectors
import shlex
import signal
import socket
import statistics
import struct
import subprocess
import sys
import termios
import time
import unicodedata
from typing import Any, Callable, Iterable, NamedTuple

now = time.monotonic

# A pause in the program's output of this length ends a frame.
FRAME_GAP_S = 0.10


def percentile(values: list[float], share: float) -> float:
    """The nearest-rank percentile of a list that is not empty."""
    ordered = sorted(values)
    return ordered[max(0, min(len(ordered) - 1, int(share * len(ordered) + 0.9999) - 1))]


# --------------------------------------------------------------------------
# The screen
# --------------------------------------------------------------------------


class Attr(NamedTuple):
    """How a cell is drawn; None is the terminal's own colour."""

    fg: str | None = None
    bg: str | None = None
    flags: frozenset[int] = frozenset()

    @property
    def marked(self) -> bool:
        return self.bg is not None or 7 in self.flags


PLAIN = Attr()

TOKEN = re.compile(
    r"(?P<text>[^\x00-\x1f\x7f]+)"
    r"|\x1b\[(?P<params>[0-?]*)(?P<between>[ -/]*)(?P<final>[@-~])"
    r"|\x1b(?P<string>[\]PX^_])[^\x07\x1b]*(?:\x07|\x1b\\)"
    r"|\x1b(?P<charset>[()*+])(?P<set>.)"
    r"|\x1b(?P<esc>[0-9<=>A-OQ-WYZa-~#])"
    r"|(?P<ctl>[\x00-\x1a\x1c-\x1f\x7f])"
)
# The start of a sequence that has not arrived whole.
PARTIAL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b]*\x1b?|[()*+])?\Z")

LINE_DRAWING = str.maketrans("`afgjklmnopqrstuvwxyz{|}~", "◆▒°±┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·")

COLOURS = {**{str(30 + i): str(i) for i in range(8)}, **{str(90 + i): str(8 + i) for i in range(8)}}


class Screen:
    """As much of an xterm as ncurses, termbox, blessed and readline programs use."""

    def __init__(self, cols: int, rows: int, reply: Callable[[bytes], None] | None = None):
        self.cols, self.rows = cols, rows
        self.reply = reply or (lambda answer: None)
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.pending = ""
        self.version = 0  # grows with every write that changes a cell
        self.application_cursor = False
        self.reset()

    # ---- reading the screen

    def lines(self) -> list[str]:
        return ["".join(row).rstrip() for row in self.chars]

    def text(self) -> str:
        return "\n".join(self.lines())

    def snapshot(self) -> list[tuple[tuple[str, ...], tuple[Attr, ...]]]:
        return [(tuple(c), tuple(a)) for c, a in zip(self.chars, self.attrs)]

    def marks(self) -> tuple:
        """What stands out where: (row, first column, attributes) of every run of cells that
        are reversed or have a background of their own."""
        runs = []
        for y, attrs in enumerate(self.attrs):
            last = PLAIN
            for x, attr in enumerate(attrs):
                if attr is last or attr == last:
                    continue
                if attr.marked or last.marked:
                    runs.append((y, x, attr if attr.marked else PLAIN))
                last = attr
        return tuple(runs)

    @staticmethod
    def difference(before: list, after: list) -> tuple[int, int, int]:
        """(cells, runs, bytes) that changed between two snapshots.

        bytes: the text of the changed cells and 6 bytes per run to go there; a plain lower
        bound for a program that sends only what changed (scrolling not considered).
        """
        cells = runs = size = 0
        for (chars0, attrs0), (chars1, attrs1) in zip(before, after):
            if chars0 == chars1 and attrs0 == attrs1:
                continue
            in_run = False
            for c0, c1, a0, a1 in zip(chars0, chars1, attrs0, attrs1):
                if c0 == c1 and a0 == a1:
                    in_run = False
                    continue
                if not in_run:
                    runs += 1
                    size += 6
                    in_run = True
                cells += 1
                size += len(c1.encode())
        return cells, runs, size

    # ---- writing to it

    def reset(self) -> None:
        self.chars = [[" "] * self.cols for _ in range(self.rows)]
        self.attrs = [[PLAIN] * self.cols for _ in range(self.rows)]
        self.x = self.y = 0
        self.attr = PLAIN
        self.top, self.bottom = 0, self.rows - 1
        self.autowrap = True
        self.wrap_next = False
        self.saved = (0, 0, PLAIN)
        self.main: tuple | None = None
        self.charsets = {"(": "B", ")": "B"}
        self.shifted = False
        self.last = " "

    def feed(self, data: bytes) -> None:
        stream = self.pending + self.decoder.decode(data)
        self.pending = ""
        pos = 0
        while pos < len(stream):
            token = TOKEN.match(stream, pos)
            if token is None:
                if PARTIAL.match(stream, pos) and len(stream) - pos < 4096:
                    self.pending = stream[pos:]
                    return
                pos += 1  # a stray ESC
                continue
            pos = token.end()
            if token["text"] is not None:
                self._text(token["text"])
            elif token["final"] is not None:
                self._csi(token["params"], token["between"], token["final"])
            elif token["ctl"] is not None:
                self._control(token["ctl"])
            elif token["charset"] is not None:
                self.charsets[token["charset"]] = token["set"]
            elif token["esc"] is not None:
                self._escape(token["esc"])

    def _set(self, y: int, x: int, chars: list[str], attr: Attr) -> None:
        end = x + len(chars)
        attrs = [attr] * len(chars)
        if self.chars[y][x:end] != chars or self.attrs[y][x:end] != attrs:
            self.chars[y][x:end] = chars
            self.attrs[y][x:end] = attrs
            self.version += 1

    def _blank(self, y: int, x: int, end: int) -> None:
        if end > x:
            self._set(y, x, [" "] * (end - x), Attr(bg=self.attr.bg))

    def _text(self, text: str) -> None:
        if self.charsets.get(")" if self.shifted else "(") == "0":
            text = text.translate(LINE_DRAWING)
        self.last = text[-1]
        if text.isascii():
            cells = list(text)
        else:
            cells = []
            for char in text:
                if unicodedata.combining(char):
                    continue
                cells.append(char)
                if unicodedata.east_asian_width(char) in "WF":
                    cells.append("")
        while cells:
            if self.wrap_next:
                self.wrap_next = False
                self.x = 0
                self._index()
            room = self.cols - self.x
            part, cells = cells[:room], cells[room:]
            self._set(self.y, self.x, part, self.attr)
            self.x += len(part)
            if self.x >= self.cols:
                self.x = self.cols - 1
                self.wrap_next = self.autowrap
                if not self.autowrap and cells:
                    self._set(self.y, self.x, cells[-1:], self.attr)
                    return

    def _scroll(self, top: int, count: int) -> None:
        """Scroll the lines from top to the bottom margin up (count > 0) or down."""
        for _ in range(min(abs(count), self.bottom - top + 1)):
            out, into = (top, self.bottom) if count > 0 else (self.bottom, top)
            for grid, filler in ((self.chars, " "), (self.attrs, Attr(bg=self.attr.bg))):
                del grid[out]
                grid.insert(into, [filler] * self.cols)
        self.version += 1

    def _index(self) -> None:
        if self.y == self.bottom:
            self._scroll(self.top, 1)
        elif self.y < self.rows - 1:
            self.y += 1

    def _reverse_index(self) -> None:
        if self.y == self.top:
            self._scroll(self.top, -1)
        elif self.y > 0:
            self.y -= 1

    def _control(self, char: str) -> None:
        if char in "\n\x0b\x0c":
            self._index()
        elif char == "\r":
            self.x = 0
        elif char == "\b":
            self.x = max(0, self.x - 1)
        elif char == "\t":
            self.x = min(self.cols - 1, (self.x // 8 + 1) * 8)
        elif char in "\x0e\x0f":
            self.shifted = char == "\x0e"
            return
        else:
            return
        self.wrap_next = False

    def _escape(self, char: str) -> None:
        if char == "7":
            self.saved = (self.x, self.y, self.attr)
        elif char == "8":
            self.x, self.y, self.attr = self.saved
            self.wrap_next = False
        elif char == "D":
            self._index()
        elif char == "E":
            self.x = 0
            self._index()
        elif char == "M":
            self._reverse_index()
        elif char == "c":
            self.reset()
            self.version += 1

    def _csi(self, params: str, between: str, final: str) -> None:
        private = params[:1] if params[:1] in "<=>?" else ""
        fields = params[len(private) :].split(";")
        numbers = [int(f) if f.isdigit() else 0 for f in fields]
        first = numbers[0]
        count = max(1, first)
        if private == "?" and final in "hl":
            for number in numbers:
                self._mode(number, final == "h")
            return
        if private == ">" and final == "c":
            self.reply(b"\x1b[>0;276;0c")
            return
        if private or between:
            return
        if final == "m":
            self._sgr(fields)
            return
        if final == "n" and first == 6:
            self.reply(b"\x1b[%d;%dR" % (self.y + 1, self.x + 1))
            return
        if final == "c":
            self.reply(b"\x1b[?1;2c")
            return
        x, y = self.x, self.y
        self.wrap_next = False
        if final in "Hf":
            self.y = min(self.rows, count) - 1
            self.x = min(self.cols, max(1, numbers[1] if len(numbers) > 1 else 1)) - 1
        elif final == "A":
            self.y = max(0, y - count)
        elif final in "Be":
            self.y = min(self.rows - 1, y + count)
        elif final in "Ca":
            self.x = min(self.cols - 1, x + count)
        elif final == "D":
            self.x = max(0, x - count)
        elif final in "EF":
            self.x = 0
            self.y = min(self.rows - 1, y + count) if final == "E" else max(0, y - count)
        elif final in "G`":
            self.x = min(self.cols, count) - 1
        elif final == "d":
            self.y = min(self.rows, count) - 1
        elif final == "J":
            if first == 0:
                self._blank(y, x, self.cols)
            elif first == 1:
                self._blank(y, 0, x + 1)
            for row in range(self.rows):
                if first >= 2 or (row > y if first == 0 else row < y):
                    self._blank(row, 0, self.cols)
        elif final == "K":
            self._blank(y, 0 if first else x, x + 1 if first == 1 else self.cols)
        elif final == "X":
            self._blank(y, x, min(self.cols, x + count))
        elif final in "P@":
            count = min(count, self.cols - x)
            for grid, filler in ((self.chars, " "), (self.attrs, Attr(bg=self.attr.bg))):
                row = grid[y]
                if final == "P":
                    row[x:] = row[x + count :] + [filler] * count
                else:
                    row[x:] = [filler] * count + row[x : self.cols - count]
            self.version += 1
        elif final in "LM":
            if self.top <= y <= self.bottom:
                self._scroll(y, count if final == "M" else -count)
        elif final in "ST":
            self._scroll(self.top, count if final == "S" else -count)
        elif final == "b":
            self._text(self.last * count)
        elif final == "r":
            bottom = numbers[1] if len(numbers) > 1 and numbers[1] else self.rows
            self.top, self.bottom = count - 1, min(self.rows, bottom) - 1
            self.x = self.y = 0
        elif final == "s":
            self.saved = (x, y, self.attr)
        elif final == "u":
            self.x, self.y, self.attr = self.saved

    def _mode(self, number: int, on: bool) -> None:
        if number == 1:
            self.application_cursor = on
        elif number == 7:
            self.autowrap = on
        elif number in (47, 1047, 1049):
            if on and self.main is None:
                self.main = (self.chars, self.attrs, self.x, self.y)
                self.chars = [[" "] * self.cols for _ in range(self.rows)]
                self.attrs = [[PLAIN] * self.cols for _ in range(self.rows)]
                self.version += 1
            elif not on and self.main is not None:
                self.chars, self.attrs, self.x, self.y = self.main
                self.main = None
                self.version += 1

    def _sgr(self, fields: list[str]) -> None:
        fg, bg, flags = self.attr
        i = 0
        while i < len(fields):
            code = fields[i] or "0"
            if code in ("38", "48"):
                length = 3 if fields[i + 1 : i + 2] == ["5"] else 5
                colour = ":".join(fields[i + 1 : i + length])
                fg, bg = (colour, bg) if code == "38" else (fg, colour)
                i += length
                continue
            if code == "0":
                fg, bg, flags = PLAIN
            elif code in COLOURS:
                fg = COLOURS[code]
            elif code == "39":
                fg = None
            elif code == "49":
                bg = None
            elif code.isdigit() and str(int(code) - 10) in COLOURS:
                bg = COLOURS[str(int(code) - 10)]
            elif code == "22":
                flags = flags - {1, 2}
            elif code.isdigit() and 1 <= int(code) <= 9:
                flags = flags | {int(code)}
            elif code.isdigit() and 23 <= int(code) <= 29:
                flags = flags - {int(code) - 20}
            i += 1
        self.attr = Attr(fg, bg, flags)


# --------------------------------------------------------------------------
# Keys
# --------------------------------------------------------------------------

ARROWS = {"Up": "A", "Down": "B", "Right": "C", "Left": "D", "Home": "H", "End": "F"}
KEYS = {
    "Enter": "\r", "Esc": "\x1b", "Tab": "\t", "Space": " ", "Backspace": "\x7f", "lt": "<",
    "PageUp": "\x1b[5~", "PageDown": "\x1b[6~", "Insert": "\x1b[2~", "Delete": "\x1b[3~",
    "F1": "\x1bOP", "F2": "\x1bOQ", "F3": "\x1bOR", "F4": "\x1bOS", "F5": "\x1b[15~",
    "F6": "\x1b[17~", "F7": "\x1b[18~", "F8": "\x1b[19~", "F9": "\x1b[20~", "F10": "\x1b[21~",
}  # fmt: skip


def split_keys(script: str) -> list[str]:
    """'x<Down><wait:0.5>q' -> ['x', '<Down>', '<wait:0.5>', 'q']"""
    return re.findall(r"<[A-Za-z][\w:.-]*>|.", script, re.S)


def encode_key(key: str, application_cursor: bool) -> bytes:
    """The bytes that a terminal sends for a key such as a, <Down>, <F5> or <C-c>."""
    if not (key.startswith("<") and key.endswith(">") and len(key) > 2):
        return key.encode()
    name = key[1:-1]
    if name in ARROWS:
        return ("\x1bO" if application_cursor else "\x1b[").encode() + ARROWS[name].encode()
    if name in KEYS:
        return KEYS[name].encode()
    if name.startswith("C-") and len(name) == 3:
        return bytes([ord(name[2].upper()) & 0x1F])
    raise ValueError(f"unknown key {key}")


# --------------------------------------------------------------------------
# Processes
# --------------------------------------------------------------------------


def cpu_ns(pid: int) -> int | None:
    """CPU time that a process has used, all its threads together, in nanoseconds."""
    try:
        # The CPU clock of another process, as clock_getcpuclockid(3) computes it.
        return time.clock_gettime_ns((~pid << 3) | 2)
    except OSError:
        return None


def proc_stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat from the third (state) on."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()
    except OSError:
        return None


def proc_status(task: str) -> dict[str, str]:
    """/proc/TASK/status of a process (PID) or a thread (PID/task/TID)."""
    try:
        with open(f"/proc/{task}/status") as status:
            return dict(line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line)
    except OSError:
        return {}


def thread_ids(pid: int) -> list[int]:
    try:
        return [int(name) for name in os.listdir(f"/proc/{pid}/task")]
    except OSError:
        return []


def all_pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


class Tree:
    """A process and its descendants: CPU, memory, threads, wake-ups."""

    RESCAN_S = 2.0
    TICK = os.sysconf("SC_CLK_TCK")

    def __init__(self, root: int):
        self.root = root
        self.pids = {root}
        self.cpu: dict[int, int] = {}
        self.reaped_s = 0.0
        self.hwm_kib: dict[int, int] = {}
        self.anon_max_kib = 0
        self.switches: dict[int, int] = {}
        self.threads_max = 0
        self.next_scan = 0.0

    def scan(self) -> None:
        parents: dict[int, list[int]] = {}
        for pid in all_pids():
            fields = proc_stat(pid)
            if fields:
                parents.setdefault(int(fields[1]), []).append(pid)
        self.pids, todo = set(), [self.root]
        while todo:
            pid = todo.pop()
            self.pids.add(pid)
            todo.extend(parents.get(pid, []))

    def sample(self) -> None:
        if now() >= self.next_scan:
            self.next_scan = now() + self.RESCAN_S
            self.scan()
        threads, reaped, anon = 0, 0, 0
        for pid in list(self.pids):
            clock, fields = cpu_ns(pid), proc_stat(pid)
            if clock is None or fields is None or fields[0] == "Z":
                if pid != self.root:
                    self.pids.discard(pid)
                    self.cpu.pop(pid, None)  # its parent's reaped time has it now
                continue
            self.cpu[pid] = clock
            reaped += int(fields[13]) + int(fields[14])
            threads += int(fields[17])
            status = proc_status(f"{pid}")
            hwm = int(status.get("VmHWM", "0 kB").split()[0])
            self.hwm_kib[pid] = max(hwm, self.hwm_kib.get(pid, 0))
            anon += int(status.get("RssAnon", "0 kB").split()[0])
            for thread in thread_ids(pid):
                switches = proc_status(f"{pid}/task/{thread}").get("voluntary_ctxt_switches")
                self.switches[thread] = int(switches or self.switches.get(thread, 0))
        self.reaped_s = max(self.reaped_s, reaped / self.TICK)
        self.threads_max = max(self.threads_max, threads)
        self.anon_max_kib = max(self.anon_max_kib, anon)

    def cpu_s(self) -> float:
        self.sample()
        return sum(self.cpu.values()) / 1e9 + self.reaped_s

    def wakeups(self) -> int:
        return sum(self.switches.values())

    def peak_rss_kib(self) -> int:
        return sum(self.hwm_kib.values())


# --------------------------------------------------------------------------
# The relay between the program and the server
# --------------------------------------------------------------------------


class Messages:
    """Cuts a stream of the PostgreSQL protocol into messages."""

    SSL_REQUEST, GSS_REQUEST, CANCEL_REQUEST = 80877103, 80877104, 80877102

    def __init__(self, typed: bool):
        self.typed = typed
        self.buffer = bytearray()
        self.skip = 0

    def feed(self, data: bytes) -> Iterable[tuple[str, bytes]]:
        """Yields (type, the first bytes of the body) of each message that starts in data."""
        self.buffer += data
        while self.buffer:
            if self.skip:
                cut = min(self.skip, len(self.buffer))
                del self.buffer[:cut]
                self.skip -= cut
                continue
            head = 5 if self.typed else 4
            # 8 bytes of the body are all that anybody here reads
            if len(self.buffer) < head:
                return
            length = struct.unpack_from("!I", self.buffer, head - 4)[0]
            body = min(length - 4, 8)
            if len(self.buffer) < head + body:
                return
            kind = chr(self.buffer[0]) if self.typed else "startup"
            first = bytes(self.buffer[head : head + body])
            self.skip = head + length - 4
            yield kind, first


class Direction:
    """One way through a relayed connection."""

    def __init__(self, source: socket.socket, target: socket.socket):
        self.source, self.target = source, target
        self.queue: collections.deque[tuple[float, bytes]] = collections.deque()
        self.out = bytearray()
        self.ended = False  # the source has sent all that it will
        self.closed = False  # and the target has been told


class Connection:
    def __init__(self, client: socket.socket, server: socket.socket):
        self.client, self.server = client, server
        self.up, self.down = Direction(client, server), Direction(server, client)
        self.requests, self.answers = Messages(typed=False), Messages(typed=True)
        self.encryption_answer = False  # the server's next byte answers an SSL request
        self.client_spoke_last = False
        self.first_chunk = True
        self.pid: int | None = None


class Relay:
    """Passes connections on to the server, with a delay; counts what goes through.

    Runs in a process of its own (see RelayControl), so that neither reading the screen nor
    taking samples adds to the round trips.
    """

    def __init__(self, listen: socket.socket, target: tuple[str, int], delay_s: float,
                 control: socket.socket):  # fmt: skip
        self.listen: socket.socket | None = listen
        self.address = listen.getsockname()
        self.target, self.delay_s, self.control = target, delay_s, control
        self.selector = selectors.SelectSelector()  # its timeouts are finer than epoll's
        self.selector.register(listen, selectors.EVENT_READ)
        self.selector.register(control, selectors.EVENT_READ)
        self.connections: list[Connection] = []
        self.stalled = False
        self.count: collections.Counter[str] = collections.Counter()
        self.backend_cpu: dict[int, int] = {}
        self.turns: list[float] = []
        self.last_answer = 0.0
        self.last_row = 0.0

    def run(self) -> None:
        while True:
            for key, _ in self.selector.select(self._timeout()):
                if key.fileobj is self.control:
                    if not self._command():
                        return
                elif key.fileobj is self.listen:
                    self._accept()
                elif key.data and key.fileobj.fileno() >= 0:
                    self._read(*key.data)
            self._flush()

    def _directions(self) -> Iterable[Direction]:
        for connection in self.connections:
            yield connection.up
            yield connection.down

    def _timeout(self) -> float | None:
        if self.stalled:
            return None
        due = [d.queue[0][0] for d in self._directions() if d.queue]
        if any(d.out for d in self._directions()):
            return 0.002
        return max(0.0, min(due) - now()) if due else None

    def _accept(self) -> None:
        assert self.listen is not None
        client, _ = self.listen.accept()
        try:
            server = socket.create_connection(self.target, timeout=10)
        except OSError:
            client.close()
            self.count["refused"] += 1
            return
        connection = Connection(client, server)
        for end in (client, server):
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.selector.register(client, selectors.EVENT_READ, (connection, connection.up))
        self.selector.register(server, selectors.EVENT_READ, (connection, connection.down))
        self.connections.append(connection)
        self.count["connections"] += 1

    def _read(self, connection: Connection, way: Direction) -> None:
        if self.stalled:
            return
        try:
            data = way.source.recv(262144)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        when = now()
        due = when + self.delay_s
        if not data:
            way.ended = True
            way.queue.append((due, b""))
            self.selector.unregister(way.source)
            if way is connection.up:
                self._sample(connection)
            return
        if way is connection.up:
            if connection.first_chunk:
                connection.first_chunk = False
                due += 2 * self.delay_s  # the TCP handshake, which the relay answers at once
            self._count_up(connection, data, when)
        else:
            self._count_down(connection, data, when)
        way.queue.append((due, data))

    def _count_up(self, connection: Connection, data: bytes, when: float) -> None:
        self.count["bytes_up"] += len(data)
        if not connection.client_spoke_last:
            connection.client_spoke_last = True
            self.count["turnarounds"] += 1
            self.turns.append(when)
        for kind, body in connection.requests.feed(data):
            if kind == "startup":
                code = struct.unpack_from("!I", body)[0] if len(body) >= 4 else 0
                if code in (Messages.SSL_REQUEST, Messages.GSS_REQUEST):
                    connection.encryption_answer = True
                    self.count["encryption_requests"] += 1
                elif code == Messages.CANCEL_REQUEST:
                    self.count["cancel_requests"] += 1
                else:
                    connection.requests.typed = True
                continue
            if kind in "QE":
                self.count["statements"] += 1
            elif kind == "X":
                self._sample(connection)
            self.count["up_" + kind] += 1

    def _count_down(self, connection: Connection, data: bytes, when: float) -> None:
        self.count["bytes_down"] += len(data)
        self.last_answer = when
        connection.client_spoke_last = False
        if connection.encryption_answer:
            connection.encryption_answer = False
            if data[:1] != b"N":
                self.count["encrypted"] += 1
            data = data[1:]
        for kind, body in connection.answers.feed(data):
            if kind == "K":
                connection.pid = struct.unpack_from("!I", body)[0]
            elif kind == "D":
                self.count["rows"] += 1
                self.last_row = when
            elif kind == "E":
                self.count["errors"] += 1

    def _sample(self, connection: Connection) -> None:
        if connection.pid:
            clock = cpu_ns(connection.pid)
            if clock is not None:
                self.backend_cpu[connection.pid] = clock

    def _flush(self) -> None:
        if self.stalled:
            return
        when = now()
        for way in self._directions():
            while way.queue and way.queue[0][0] <= when:
                _, data = way.queue.popleft()
                if data:
                    way.out += data
                else:
                    way.closed = True
            try:
                if way.out:
                    del way.out[: way.target.send(way.out)]
                if way.closed and not way.out:
                    way.target.shutdown(socket.SHUT_WR)
            except BlockingIOError:
                pass
            except OSError:
                way.out.clear()
                way.queue.clear()
                way.closed = True
        for connection in list(self.connections):
            # A database connection that has ended on one side is over on both.
            if any(d.closed and not d.out for d in (connection.up, connection.down)):
                self._close(connection)

    def _close(self, connection: Connection) -> None:
        self._sample(connection)
        for end in (connection.client, connection.server):
            try:
                self.selector.unregister(end)
            except (KeyError, ValueError):
                pass
            end.close()
        self.connections.remove(connection)

    def _command(self) -> bool:
        line = self.control.recv(4096)
        if not line:
            return False
        op = line.decode().strip()
        if op == "cut":
            if self.listen:
                self.selector.unregister(self.listen)
                self.listen.close()
                self.listen = None
            for connection in list(self.connections):
                self._close(connection)
        elif op == "stall":
            self.stalled = True
            for key in list(self.selector.get_map().values()):
                if key.fileobj is not self.control:
                    self.selector.unregister(key.fileobj)
        elif op == "restore":
            if self.listen is None:
                self.listen = listen_on(self.address)
                self.selector.register(self.listen, selectors.EVENT_READ)
            if self.stalled:
                self.stalled = False
                self.selector.register(self.listen, selectors.EVENT_READ)
                for c in self.connections:
                    for way in (c.up, c.down):
                        if not way.ended:
                            self.selector.register(way.source, selectors.EVENT_READ, (c, way))
        for connection in self.connections:
            self._sample(connection)
        answer = {
            **self.count,
            "open": len(self.connections),
            "backend_cpu_s": sum(self.backend_cpu.values()) / 1e9,
            "backend_pids": [c.pid for c in self.connections if c.pid],
            "last_answer": self.last_answer,
            "last_row": self.last_row,
            "turns": self.turns,
        }
        self.turns = []
        data = json.dumps(answer).encode()
        self.control.setblocking(True)
        self.control.sendall(struct.pack("!I", len(data)) + data)
        return True


def listen_on(address: tuple[str, int]) -> socket.socket:
    listen = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listen.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listen.bind(address)
    listen.listen(64)
    return listen


class RelayControl:
    """The relay process, seen from the measuring process."""

    def __init__(self, target: tuple[str, int], delay_s: float):
        listen = listen_on(("127.0.0.1", 0))
        self.port = listen.getsockname()[1]
        self.socket, theirs = socket.socketpair()
        self.turns: list[float] = []
        self.pid = os.fork()
        if self.pid == 0:
            status = 1
            try:
                self.socket.close()
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                Relay(listen, target, delay_s, theirs).run()
                status = 0
            except Exception as error:  # the parent sees the closed socket
                print(f"tuibench: relay: {error!r}", file=sys.stderr)
            finally:
                os._exit(status)
        listen.close()
        theirs.close()

    def ask(self, op: str = "count") -> dict[str, Any]:
        self.socket.sendall(op.encode() + b"\n")
        size = struct.unpack("!I", self._read(4))[0]
        answer = json.loads(self._read(size))
        self.turns += answer.pop("turns")
        return answer

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise RuntimeError("the relay process has ended")
            data += part
        return data

    def close(self) -> None:
        self.socket.close()
        os.waitpid(self.pid, 0)


# --------------------------------------------------------------------------
# The server
# --------------------------------------------------------------------------

STATEMENTS_SQL = """
SELECT coalesce(sum(calls), 0), coalesce(sum(total_exec_time), 0), coalesce(sum(total_plan_time), 0),
       coalesce(sum(rows), 0), coalesce(sum(shared_blks_hit), 0), coalesce(sum(shared_blks_read), 0),
       coalesce(sum(temp_blks_written), 0)
  FROM pg_stat_statements(false) WHERE userid = (SELECT oid FROM pg_roles WHERE rolname = :'role')
"""
STATEMENTS_FIELDS = ("calls", "exec_ms", "plan_ms", "rows", "blks_hit", "blks_read", "temp_blks")

RESET_SQL = "SELECT pg_stat_statements_reset(oid, 0, 0) FROM pg_roles WHERE rolname = :'role'"

TOP_SQL = """
SELECT json_agg(t) FROM (
  SELECT calls, round(total_exec_time::numeric, 1) AS exec_ms, rows, shared_blks_hit AS blks_hit,
         left(regexp_replace(query, '\\s+', ' ', 'g'), 160) AS query
    FROM pg_stat_statements WHERE userid = (SELECT oid FROM pg_roles WHERE rolname = :'role')
   ORDER BY total_exec_time DESC LIMIT 20) t
"""


class Server:
    """The server under the program, asked as an administrator and past the relay."""

    def __init__(self, host: str, port: int, admin: str, dbname: str, role: str, data_dir: str | None):
        self.role = role
        self.command = ["psql", "-X", "-At", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-v", f"role={role}",
                        "-h", host, "-p", str(port), "-U", admin, "-d", dbname, "-f", "-"]  # fmt: skip
        self.data_dir = os.path.realpath(data_dir) if data_dir else None
        self.stopped: list[int] = []

    def query(self, sql: str) -> subprocess.Popen:
        env = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
        psql = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True, env=env)  # fmt: skip
        assert psql.stdin
        psql.stdin.write(sql)
        psql.stdin.close()
        return psql

    def postmaster(self) -> int | None:
        if self.data_dir is None:
            return None
        try:
            with open(os.path.join(self.data_dir, "postmaster.pid")) as pidfile:
                return int(pidfile.readline())
        except (OSError, ValueError):
            return None

    def _is_ours(self, pid: int) -> bool:
        try:
            return os.path.realpath(os.readlink(f"/proc/{pid}/cwd")) == self.data_dir
        except OSError:
            return False

    def freeze(self) -> int:
        """Stops the postmaster and its children; returns how many processes that were."""
        master = self.postmaster()
        if master is None or not self._is_ours(master):
            raise SystemExit("tuibench: --freeze needs --data-dir of the running server")
        self._stop(master)
        for pid in all_pids():
            fields = proc_stat(pid)
            if fields and int(fields[1]) == master and self._is_ours(pid):
                self._stop(pid)
        return len(self.stopped)

    def _stop(self, pid: int) -> None:
        try:
            os.kill(pid, signal.SIGSTOP)
            self.stopped.append(pid)
        except ProcessLookupError:
            pass

    def thaw(self) -> None:
        while self.stopped:
            try:
                os.kill(self.stopped.pop(), signal.SIGCONT)
            except ProcessLookupError:
                pass


# --------------------------------------------------------------------------
# The program under test
# --------------------------------------------------------------------------


class Program:
    """A command on a pseudo-terminal."""

    SAMPLE_S = 0.25

    def __init__(self, argv: list[str], env: dict[str, str], cols: int, rows: int):
        self.started = now()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))
                os.execvpe(argv[0], argv, env)
            except OSError as error:
                os.write(2, f"{argv[0]}: {error}\n".encode())
            finally:
                os._exit(127)
        os.set_blocking(self.fd, False)
        self.screen = Screen(cols, rows, self.send)
        self.tree = Tree(self.pid)
        self.chunks: list[tuple[float, int]] = []  # (when, bytes) of everything it wrote
        self.changed = 0.0  # when it last changed the screen
        self.next_sample = 0.0
        self.open = True
        self.ended: tuple[float, int, Any] | None = None  # (when, wait status, rusage)

    def send(self, data: bytes) -> None:
        try:
            os.write(self.fd, data)
        except OSError:
            pass

    def press(self, key: str) -> None:
        self.send(encode_key(key, self.screen.application_cursor))

    def _drain(self) -> bool:
        try:
            data = os.read(self.fd, 65536)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        when = now()
        if not data:
            self.open = False
            return False
        self.chunks.append((when, len(data)))
        before = self.screen.version
        self.screen.feed(data)
        if self.screen.version != before:
            self.changed = when
        return True

    def pump(self, until: float, done: Callable[[], bool] | None = None) -> bool:
        """Reads output until the time has come or done() holds; True: done() holds."""
        while True:
            if done is not None and done():
                return True
            when = now()
            if when >= until or self.poll():
                return False
            if when >= self.next_sample:
                self.next_sample = when + self.SAMPLE_S
                self.tree.sample()
            wait = min(until, self.next_sample, when + FRAME_GAP_S / 2) - when
            if not self.open:
                time.sleep(min(max(wait, 0), 0.02))
            elif select.select([self.fd], [], [], max(wait, 0))[0]:
                self._drain()

    def poll(self) -> bool:
        """Has it ended?"""
        if self.ended is None:
            pid, status, usage = os.wait4(self.pid, os.WNOHANG)
            if pid:
                while self.open and self._drain():
                    pass
                self.ended = (now(), status, usage)
        return self.ended is not None

    def quiet(self, gap: float = FRAME_GAP_S, limit: float = 3.0) -> None:
        """Waits for a pause in the output."""
        self.pump(now() + limit, lambda: bool(self.chunks) and now() - self.chunks[-1][0] >= gap)

    def finish(self, wait_s: float) -> None:
        """Makes sure that it has ended."""
        for end in (None, signal.SIGTERM, signal.SIGKILL):
            if end is not None and not self.poll():
                os.kill(self.pid, end)
            self.pump(now() + wait_s)
            if self.poll():
                break
        os.close(self.fd)

    def bytes_between(self, start: float, end: float) -> int:
        return sum(size for when, size in self.chunks if start <= when < end)


def bursts(times: list[float], gap: float) -> list[float]:
    """The first time of every group of times with a pause of at least gap before it."""
    return [t for i, t in enumerate(times) if i == 0 or t - times[i - 1] >= gap]


# --------------------------------------------------------------------------
# One measurement
# --------------------------------------------------------------------------


class Measurement:
    def __init__(self, opts: argparse.Namespace):
        self.opts = opts
        self.cols, self.rows = (int(n) for n in opts.size.lower().split("x"))
        self.expect = re.compile(opts.expect) if opts.expect else None
        self.expect_lost = re.compile(opts.expect_lost) if opts.expect_lost else None
        self.server = Server(opts.host, opts.port, opts.admin, opts.dbname, opts.role, opts.data_dir)
        self.report: dict[str, Any] = {
            "name": opts.name, "label": opts.label, "cmd": opts.cmd, "size": opts.size,
            "rtt_ms": 2 * opts.delay_ms, "refresh_s": opts.refresh, "loadavg": os.getloadavg(),
        }  # fmt: skip

    # ---- helpers

    def visible(self, pattern: re.Pattern | None) -> bool:
        return pattern is not None and pattern.search(self.program.screen.text()) is not None

    def server_counters(self) -> dict[str, float] | None:
        psql = self.server.query(STATEMENTS_SQL)
        self.program.pump(now() + 30, lambda: psql.poll() is not None)
        fields = (psql.stdout.read() if psql.stdout else "").strip().split("\t")
        if psql.wait() != 0 or len(fields) != len(STATEMENTS_FIELDS):
            return None
        return dict(zip(STATEMENTS_FIELDS, map(float, fields)))

    def type_keys(self, script: str) -> None:
        for key in split_keys(script):
            if key.startswith("<wait:"):
                self.program.pump(now() + float(key[6:-1]))
            else:
                self.program.press(key)
                self.program.pump(now() + 0.05)

    def effect(self) -> Callable[[], Any]:
        """What a key press is expected to change, as a function that reads it off the screen."""
        screen, kind = self.program.screen, self.opts.effect
        if kind == "any":
            return lambda: screen.version
        if kind == "marks":
            return screen.marks
        pattern = re.compile(kind.removeprefix("text:"))
        return lambda: [m.group(0) for m in pattern.finditer(screen.text())]

    def press_once(self, key: str, timeout: float) -> float | None:
        """Seconds from a key press to its effect on the screen; None: not within the time."""
        read, program = self.effect(), self.program
        before, version = read(), program.screen.version
        seen = [version]
        pressed = now()

        def shows() -> bool:
            if program.screen.version == seen[0]:
                return False
            seen[0] = program.screen.version
            current = read()
            return current != before and current != []  # a text that only vanished is no effect

        program.press(key)
        return program.changed - pressed if program.pump(pressed + timeout, shows) else None

    # ---- phases

    def run(self) -> dict[str, Any]:
        opts = self.opts
        self.relay = RelayControl((opts.host, opts.port), opts.delay_ms / 1000)
        places = {"host": "127.0.0.1", "port": str(self.relay.port), "dbname": opts.dbname,
                  "role": opts.role, "refresh": f"{opts.refresh:g}",
                  "here": os.path.dirname(os.path.abspath(__file__))}  # fmt: skip
        argv = [re.sub(r"\{(\w+)\}", lambda m: places.get(m[1], m[0]), a) for a in shlex.split(opts.cmd)]
        env = {k: v for k, v in os.environ.items() if not k.startswith("PG") and k not in ("LINES", "COLUMNS")}
        env.update(TERM=opts.term, LANG="C.UTF-8", LC_ALL="C.UTF-8", PGHOST="127.0.0.1",
                   PGPORT=places["port"], PGUSER=opts.role, PGDATABASE=opts.dbname)  # fmt: skip
        if opts.top_statements:
            self.server.query(RESET_SQL).wait()
        self.program = Program(argv, env, self.cols, self.rows)
        try:
            if self.start():
                if opts.keys:
                    self.type_keys(opts.keys)
                self.program.pump(now() + opts.warmup)
                if opts.duration > 0:
                    self.steady()
                if opts.press and opts.presses > 0 and not self.program.poll():
                    self.keys()
                if opts.freeze > 0 and not self.program.poll():
                    self.freeze()
                if opts.cut and not self.program.poll():
                    self.cut()
                self.save_screen()
            self.end()
        finally:
            self.server.thaw()
            if not self.program.poll():
                self.program.finish(2)
            self.relay.close()
        return self.report

    def start(self) -> bool:
        program, opts = self.program, self.opts

        def frame() -> bool:
            if not program.changed or now() - program.changed < FRAME_GAP_S:
                return False
            if self.expect:
                return self.visible(self.expect)
            return len(program.screen.text().split()) > 10

        # Without --expect the first pause may come too early: then a longer one must do.
        ready = program.pump(now() + opts.start_timeout, frame)
        counters = self.relay.ask()
        first = program.chunks[0][0] - program.started if program.chunks else None
        self.report["start"] = {
            "ok": ready,
            "first_byte_s": first,
            "first_frame_s": program.changed - program.started if ready else None,
            "cpu_s": program.tree.cpu_s() if not program.poll() else None,
            "turnarounds": counters.get("turnarounds", 0),
            "connections": counters.get("connections", 0),
            "term_bytes": sum(size for _, size in program.chunks),
        }
        if not ready:
            self.report["start"]["screen"] = [line for line in program.screen.lines() if line][:20]
        return ready

    def steady(self) -> None:
        """A while with no key pressed: what does a refresh cost?"""
        program, opts, relay = self.program, self.opts, self.relay
        program.quiet()
        before_server = self.server_counters()
        before = relay.ask()
        master = self.server.postmaster()
        master0 = cpu_ns(master) if master else None
        cpu0, wakeups0, start = program.tree.cpu_s(), program.tree.wakeups(), now()
        end = start + opts.duration
        frames: list[tuple[int, int, int]] = []
        shown, version = program.screen.snapshot(), program.screen.version
        redraws = 0
        chunks = len(program.chunks)
        while now() < end and not program.poll():
            program.pump(min(end, now() + FRAME_GAP_S / 2))
            if len(program.chunks) > chunks and now() - program.chunks[-1][0] >= FRAME_GAP_S:
                chunks = len(program.chunks)
                redraws += 1
                if program.screen.version != version:
                    version = program.screen.version
                    current = program.screen.snapshot()
                    frames.append(Screen.difference(shown, current))
                    shown = current
        alive = not program.poll()
        program.quiet()
        cpu1, wakeups1, stop = program.tree.cpu_s(), program.tree.wakeups(), now()
        after = relay.ask()
        master1 = cpu_ns(master) if master else None
        after_server = self.server_counters() if alive else None
        span = stop - start
        gap = max(0.4 * opts.refresh, 0.05)
        starts = bursts([t for t in relay.turns if start <= t < stop], gap)
        refreshes = len(starts) or round(span / opts.refresh) or 1

        def per_refresh(key: str) -> float:
            return (after.get(key, 0) - before.get(key, 0)) / refreshes

        written = program.bytes_between(start, stop)
        steady: dict[str, Any] = {
            "seconds": span,
            "refreshes": refreshes,
            "interval_s": (starts[-1] - starts[0]) / (refreshes - 1) if len(starts) > 1 else None,
            "frames": redraws,
            "cpu_ms_per_refresh": (cpu1 - cpu0) * 1000 / refreshes,
            "cpu_percent": (cpu1 - cpu0) * 100 / span,
            "wakeups_per_s": (wakeups1 - wakeups0) / span,
            "term_bytes_per_refresh": written / refreshes,
            "term_bytes_per_s": written / span,
            "cells_changed_per_refresh": sum(f[0] for f in frames) / refreshes,
            "term_floor_bytes_per_refresh": sum(f[2] for f in frames) / refreshes,
            "turnarounds_per_refresh": per_refresh("turnarounds"),
            "statements_per_refresh": per_refresh("statements"),
            "rows_per_refresh": per_refresh("rows"),
            "net_up_bytes_per_refresh": per_refresh("bytes_up"),
            "net_down_bytes_per_refresh": per_refresh("bytes_down"),
            "connections_per_refresh": per_refresh("connections"),
            "errors": after.get("errors", 0) - before.get("errors", 0),
            "backend_cpu_ms_per_refresh": 1000 * per_refresh("backend_cpu_s"),
            "open_connections": after.get("open", 0),
        }
        if master0 is not None and master1 is not None:
            steady["postmaster_cpu_ms_per_refresh"] = (master1 - master0) / 1e6 / refreshes
        if before_server and after_server:
            for field in STATEMENTS_FIELDS:
                steady[f"server_{field}_per_refresh"] = (after_server[field] - before_server[field]) / refreshes
        self.report["steady"] = steady
        if opts.top_statements:
            psql = self.server.query(TOP_SQL)
            program.pump(now() + 30, lambda: psql.poll() is not None)
            self.report["statements"] = json.loads((psql.stdout.read() if psql.stdout else "") or "null")

    def keys(self) -> None:
        """Key presses at random moments: how long until the screen shows them?"""
        opts = self.opts
        script = split_keys(opts.press)
        low, high = opts.press_gap
        times: list[float] = []
        missed = 0
        rng = random.Random(opts.seed)
        for i in range(opts.presses):
            self.program.pump(now() + rng.uniform(low, high))
            if self.program.poll():
                break
            took = self.press_once(script[i % len(script)], opts.press_timeout)
            if took is None:
                missed += 1
            else:
                times.append(took * 1000)
        self.report["keys"] = {
            "presses": len(times) + missed,
            "missed": missed,
            "median_ms": statistics.median(times) if times else None,
            "p95_ms": percentile(times, 0.95) if times else None,
            "max_ms": max(times) if times else None,
            "all_ms": [round(t, 1) for t in times],
        }

    def outage(self, seconds: float, key: str) -> dict[str, Any]:
        """Presses a key every second during an outage and looks how the program takes it.

        The first one comes after two refresh intervals, when the program has had to notice.
        """
        program, opts = self.program, self.opts
        start = now()
        version = program.screen.version
        script = [] if opts.quit_frozen else split_keys(opts.press)
        answered: list[float] = []
        presses, said, i = 0, None, 0
        cpu0 = program.tree.cpu_s()
        changed_until = None

        def look() -> None:
            nonlocal said, version, changed_until
            if said is None and self.visible(self.expect_lost):
                said = now() - start
            if program.screen.version != version:
                version = program.screen.version
                changed_until = program.changed - start

        first_press = start + 2 * opts.refresh
        while now() < start + seconds and not program.poll():
            second = now() + 1.0
            if script and now() >= first_press:
                presses += 1
                took = self.press_once(script[i % len(script)], min(1.0, start + seconds - now()))
                i += 1
                if took is not None:
                    answered.append(took * 1000)
            while now() < min(second, start + seconds) and not program.poll():
                program.pump(min(second, start + seconds, now() + 0.1))
                look()
        return {
            "seconds": now() - start,
            "presses": presses,
            "answered_within_1s": len(answered),
            "answer_median_ms": statistics.median(answered) if answered else None,
            "answer_max_ms": max(answered) if answered else None,
            "last_screen_change_s": changed_until,
            "said_so_after_s": said,
            "cpu_s": program.tree.cpu_s() - cpu0 if not program.poll() else None,
            "exited": program.poll(),
            f"screen_{key}": [line for line in program.screen.lines() if line][:6],
        }

    def recovery(self, since: float, rows_before: float) -> dict[str, float | None]:
        """How long until new rows were shown, and until the screen was whole (--expect) again?"""
        program, relay = self.program, self.relay
        deadline = since + self.opts.recover_timeout
        data = whole = None
        while now() < deadline and whole is None and not program.poll():
            program.pump(now() + 0.05)
            counters = relay.ask()
            row = counters["last_row"]
            if row > since and counters.get("rows", 0) > rows_before and program.changed >= row:
                data = data or program.changed - since
                if self.expect is None or self.visible(self.expect):
                    whole = program.changed - since
        return {"data_after_s": data, "whole_after_s": whole}

    def freeze(self) -> None:
        opts, program = self.opts, self.program
        program.pump(now() + opts.refresh)
        rows = self.relay.ask().get("rows", 0)
        processes = self.server.freeze()
        try:
            result = self.outage(opts.freeze, "frozen")
            result["processes"] = processes
            if opts.quit_frozen and not program.poll():
                asked = now()
                self.type_keys(opts.quit)
                program.pump(asked + 10)
                result["quit_while_frozen_s"] = program.ended[0] - asked if program.ended else None
        finally:
            thawed = now()
            self.server.thaw()
        if not program.poll():
            result.update(self.recovery(thawed, rows))
        result["alive"] = not program.poll()
        self.report["freeze"] = result

    def cut(self) -> None:
        opts, program, relay = self.opts, self.program, self.relay
        program.pump(now() + opts.refresh)
        before = relay.ask("stall" if opts.cut == "stall" else "cut")
        result = self.outage(opts.cut_for, "cut")
        result["mode"] = opts.cut
        restored = now()
        relay.ask("restore")
        result.update(self.recovery(restored, before.get("rows", 0)))
        result["alive"] = not program.poll()
        if result["alive"] and result["whole_after_s"] is None:
            result["screen_after"] = [line for line in program.screen.lines() if line][:6]
        self.report["cut"] = result

    def save_screen(self) -> None:
        if self.opts.save_screen:
            with open(self.opts.save_screen, "w") as out:
                out.write(self.program.screen.text() + "\n")

    def end(self) -> None:
        program = self.program
        ended_by_itself = program.poll()
        tree = program.tree
        if not ended_by_itself:
            tree.sample()
            asked = now()
            self.type_keys(self.opts.quit)
            program.pump(asked + 5)
        quit_s = None
        if not ended_by_itself and program.ended:
            quit_s = program.ended[0] - asked
        by_key = program.poll()
        program.finish(2)
        assert program.ended
        _, status, usage = program.ended
        relay = self.relay.ask()
        self.report["process"] = {
            "peak_rss_mib": max(tree.peak_rss_kib(), usage.ru_maxrss) / 1024,
            "peak_anon_mib": tree.anon_max_kib / 1024,
            "threads_max": tree.threads_max,
            "processes": len(tree.hwm_kib),
            "user_s": usage.ru_utime,
            "sys_s": usage.ru_stime,
            "ended_by_itself": ended_by_itself,
            "quit_by_key": by_key and not ended_by_itself,
            "quit_s": quit_s,
            "exit": os.waitstatus_to_exitcode(status),
            "connections": relay.get("connections", 0),
            "encrypted": bool(relay.get("encrypted", 0)),
        }


# --------------------------------------------------------------------------
# Comparing
# --------------------------------------------------------------------------

# (title, path in the report, digits)
COLUMNS = [
    ("first frame s", "start.first_frame_s", 3),
    ("trips to first frame", "start.turnarounds", 0),
    ("trips/refresh", "steady.turnarounds_per_refresh", 1),
    ("statements/refresh", "steady.statements_per_refresh", 1),
    ("net KB/refresh", "steady.net_down_bytes_per_refresh", 1),
    ("server ms/refresh", "steady.server_exec_ms_per_refresh", 2),
    ("backend CPU ms/refresh", "steady.backend_cpu_ms_per_refresh", 2),
    ("postmaster CPU ms/refresh", "steady.postmaster_cpu_ms_per_refresh", 2),
    ("buffer hits/refresh", "steady.server_blks_hit_per_refresh", 0),
    ("own CPU ms/refresh", "steady.cpu_ms_per_refresh", 2),
    ("terminal KB/refresh", "steady.term_bytes_per_refresh", 2),
    ("of it needed KB", "steady.term_floor_bytes_per_refresh", 2),
    ("wake-ups/s", "steady.wakeups_per_s", 1),
    ("peak RSS MiB", "process.peak_rss_mib", 1),
    ("of it private MiB", "process.peak_anon_mib", 1),
    ("key median ms", "keys.median_ms", 1),
    ("key p95 ms", "keys.p95_ms", 1),
    ("key max ms", "keys.max_ms", 1),
    ("interval s", "steady.interval_s", 2),
]

OUTAGE_FIELDS = ("presses", "answered_within_1s", "answer_median_ms", "said_so_after_s", "cpu_s",
                 "quit_while_frozen_s", "data_after_s", "whole_after_s", "alive")  # fmt: skip


def dig(report: dict, path: str) -> float | None:
    value: Any = report
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value / 1000 if value is not None and path.endswith("bytes_per_refresh") else value


def shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def load_reports(paths: list[str]) -> list[dict]:
    reports = []
    for path in paths:
        with open(path) as lines:
            reports += [json.loads(line) for line in lines if line.strip()]
    return reports


def compare(reports: list[dict], base: str | None = None, out=sys.stdout) -> None:
    """Markdown tables, one per label: medians, their spread, and the ratio to the base program
    (without one: to the lowest)."""
    labels = list(dict.fromkeys(r.get("label") or "" for r in reports))
    for label in labels:
        chosen = [r for r in reports if (r.get("label") or "") == label]
        names = list(dict.fromkeys(r["name"] for r in chosen))
        runs = {name: [r for r in chosen if r["name"] == name] for name in names}
        print(f"\n### {label or 'runs'}\n", file=out)
        titles = [f"{name} ({len(runs[name])})" for name in names]
        print("| median (min-max) ratio | " + " | ".join(titles) + " |", file=out)
        print("| --- |" + " ---: |" * len(names), file=out)
        for title, path, digits in COLUMNS:
            values = {n: [v for r in runs[n] if (v := dig(r, path)) is not None] for n in names}
            medians = {n: statistics.median(v) for n, v in values.items() if v}
            if not medians:
                continue
            if base:
                best = medians.get(base, 0)
            else:
                best = min((m for m in medians.values() if m > 0), default=0)
            cells = []
            for name in names:
                if name not in medians:
                    cells.append("-")
                    continue
                low, high = min(values[name]), max(values[name])
                cell = f"{medians[name]:.{digits}f}"
                if high > low and len(values[name]) > 1:
                    cell += f" ({low:.{digits}f}-{high:.{digits}f})"
                if best and len(medians) > 1:
                    cell += f" ×{medians[name] / best:.{1 if medians[name] >= best else 2}f}"
                cells.append(cell)
            print(f"| {title} | " + " | ".join(cells) + " |", file=out)
        for phase, field in ((p, f) for p in ("freeze", "cut") for f in OUTAGE_FIELDS):
            cells = [", ".join(shown(r[phase].get(field)) for r in runs[n] if phase in r) for n in names]
            if any(c.strip("-, ") for c in cells):
                print(f"| {phase}: {field} | " + " | ".join(cells) + " |", file=out)


# --------------------------------------------------------------------------
# Command line
# --------------------------------------------------------------------------


def add_run_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    group = parser.add_argument_group
    add("--label", default="", help="name of the scenario, kept in the report")
    server = group("server").add_argument
    server("--host", default="127.0.0.1", help="the real server")
    server("--port", type=int, default=5432, help="the real server's port")
    server("--dbname", default="postgres", help="database that the program connects to")
    server("--role", default="bench_tui", help="role that only the program connects as")
    server("--admin", default="postgres", help="superuser that this script connects as")
    server("--data-dir", help="the server's data directory (for --freeze and the postmaster's CPU)")
    server("--delay-ms", type=float, default=0, help="delay per direction; the round trip is twice that")
    term = group("terminal").add_argument
    term("--size", default="200x50", help="COLUMNSxROWS")
    term("--term", default="xterm-256color")
    phases = group("phases").add_argument
    phases("--refresh", type=float, default=1.0, help="the program's refresh interval in seconds")
    phases("--start-timeout", type=float, default=30.0)
    phases("--warmup", type=float, default=3.0, help="seconds between the first frame and the counting")
    phases("--duration", type=float, default=60.0, help="seconds of counting, no key pressed; 0: skip")
    phases("--presses", type=int, default=20, help="how many key presses to time in quiet times; 0: none")
    phases("--press-gap", type=float, nargs=2, default=(0.4, 1.6), metavar=("MIN", "MAX"),
           help="random pause before each press, seconds")  # fmt: skip
    phases("--press-timeout", type=float, default=5.0)
    phases("--freeze", type=float, default=0, metavar="T", help="stop the server's processes for T s")
    phases("--quit-frozen", action="store_true", help="press nothing in the freeze but the quit keys")
    phases("--cut", choices=("close", "stall"),
           help="close: drop connections and refuse new ones; stall: nothing goes through any more")  # fmt: skip
    phases("--cut-for", type=float, default=5.0, help="how long the cut lasts")
    phases("--recover-timeout", type=float, default=30.0)
    phases("--seed", type=int, default=1)
    phases("--save-screen", metavar="FILE", help="write the last screen there, as text")
    phases("--top-statements", action="store_true", help="list the role's statements by time")


def tool_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("program").add_argument
    add("--name", required=True)
    add("--cmd", required=True, help="{host} {port} {dbname} {role} {refresh} {here} are filled in")
    add("--expect", help="regular expression on the screen: the first full frame is there")
    add("--expect-lost", help="regular expression: the program says that the server does not answer")
    add("--keys", default="", help="typed after the first frame, such as x<wait:0.5><Down>")
    add("--press", default="", help="keys to time, in turn, such as <Down><Up>")
    add("--effect", default="marks",
        help="what a timed key changes: any (any cell), marks (what is highlighted), text:REGEX")  # fmt: skip
    add("--quit", default="q", help="keys that end the program")


TOOL_FIELDS = ("cmd", "expect", "expect_lost", "keys", "press", "effect", "quit")


def run_suite(opts: argparse.Namespace) -> list[dict]:
    """Every tool in turn, repeated; so a change of the machine's load meets them all."""
    with open(opts.tools) as file:
        tools: dict[str, dict] = json.load(file)
    names = opts.only.split(",") if opts.only else list(tools)
    reports = []
    for turn in range(opts.repeat):
        for name in names:
            settings = argparse.Namespace(**vars(opts))
            for field in TOOL_FIELDS:
                default = {"effect": "marks", "quit": "q"}.get(field, "")
                setattr(settings, field, tools[name].get(field, default))
            settings.name, settings.seed = name, opts.seed + turn
            if opts.save_screen:
                settings.save_screen = f"{opts.save_screen}.{name}.txt"
            print(f"tuibench: {opts.label} {name} {turn + 1}/{opts.repeat}", file=sys.stderr)
            report = Measurement(settings).run()
            reports.append(report)
            with open(opts.out, "a") as out:
                out.write(json.dumps(report) + "\n")
    return reports


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0],
                                     formatter_class=argparse.ArgumentDefaultsHelpFormatter)  # fmt: skip
    commands = parser.add_subparsers(dest="command", required=True)
    formatter = argparse.ArgumentDefaultsHelpFormatter
    run = commands.add_parser("run", help="measure one program once", formatter_class=formatter)
    tool_options(run)
    add_run_options(run)
    run.add_argument("--out", help="append the report to this file, too, as one line")
    suite = commands.add_parser("suite", help="measure programs in turn", formatter_class=formatter)
    suite.add_argument("--tools", required=True, help="JSON file: name -> cmd, expect, press, ...")
    suite.add_argument("--only", help="names from it, comma-separated")
    suite.add_argument("--repeat", type=int, default=3)
    suite.add_argument("--out", required=True, help="append the reports to this file, one line each")
    add_run_options(suite)
    table = commands.add_parser("compare", help="tables of medians and ratios from reports")
    table.add_argument("files", nargs="+")
    table.add_argument("--base", help="the program that ratios are taken to (default: the lowest)")

    argv = sys.argv[1:]
    if argv and argv[0].startswith("--") and argv[0] not in ("--help",):
        argv = ["run", *argv]
    opts = parser.parse_args(argv)
    # An interrupted run still thaws a frozen server and ends the program.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    if opts.command == "compare":
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # ... | head
        compare(load_reports(opts.files), opts.base)
    elif opts.command == "suite":
        compare(run_suite(opts))
    else:
        report = Measurement(opts).run()
        print(json.dumps(report, indent=1))
        if opts.out:
            with open(opts.out, "a") as out:
                out.write(json.dumps(report) + "\n")
        return 0 if report["start"]["ok"] else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
