#!/usr/bin/env python3
"""Makes series of sizes by day from the changelogs of Debian packages, in the form of series.txt.

series.py [FILE.gz...] >series.txt; without files, those in /usr/share/doc. Projects fall into the parts
dev and held by a hash of their name, so that more packages can be added without moving any.
"""
import collections
import datetime
import email.utils
import glob
import gzip
import hashlib
import re
import sys

BYTES_PER_LINE = 38  # of source text, for `git log --stat`
DAY_NAME = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) \w{3}\s+\d+ [\d:]+ \d{4}"


def text_of(path):
    data = open(path, "rb").read()
    return (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf8", "replace")


def hash_of(name):
    return int(hashlib.md5(name.encode()).hexdigest(), 16)


def day_of_line(line):
    """The day an entry is dated, in days since 1970; None where the line dates none."""
    try:
        m = re.match(r"(?:\w*Date:\s+|\*+ )?(\d{4})-(\d\d)-(\d\d)(?:\s|$)", line)
        if m:
            return datetime.date(*map(int, m.groups())).toordinal() - 719163
        m = re.match(r"(?:\w*Date:\s+)?(%s)" % DAY_NAME, line)
        if m:
            at = datetime.datetime.strptime(m.group(1), "%a %b %d %H:%M:%S %Y")
            return at.toordinal() - 719163
    except ValueError:
        pass
    return None


def lines_changed(text):
    """Net bytes by day of a `git log --stat`: for the whole tree ("") and by folder."""
    found = collections.defaultdict(lambda: collections.defaultdict(float))
    day = None
    for line in text.split("\n"):
        dated = day_of_line(line)
        if dated is not None:
            day = dated
            continue
        if day is None:
            continue
        m = re.match(r"\s*\d+ files? changed(?:, (\d+) insertions?\(\+\))?(?:, (\d+) deletions?\(-\))?",
                     line)
        if m:
            found[""][day] += BYTES_PER_LINE * (int(m.group(1) or 0) - int(m.group(2) or 0))
            continue
        m = re.match(r"\s(\S.*?)\s*\|\s+Bin (\d+) -> (\d+) bytes", line)
        if m:
            size = int(m.group(3)) - int(m.group(2))
            found[""][day] += size
            found[m.group(1).split("/")[0]][day] += size
            continue
        m = re.match(r"\s(\S.*?)\s*\|\s+(\d+) (\+*)(-*)$", line)
        if m and m.group(3) + m.group(4):
            plus, minus = len(m.group(3)), len(m.group(4))
            found[m.group(1).split("/")[0].strip()][day] += (
                BYTES_PER_LINE * int(m.group(2)) * (plus - minus) / (plus + minus))
    return found


def bytes_written(text):
    found, day = collections.defaultdict(float), None
    for line in text.split("\n"):
        dated = day_of_line(line)
        day = dated if dated is not None else day
        if day is not None and 4000 < day < 20500:
            found[day] += len(line) + 1
    return found


def show(name, growth):
    """Prints one series, from where it reaches 2 % of its largest size, if that is 400 days or more."""
    if len(growth) < 40:
        return
    first, last, size, sizes = min(growth), max(growth), 0, []
    for day in range(first, last + 1):
        size += growth.get(day, 0)
        sizes.append(int(size))
    sizes = [s - min(0, min(sizes)) for s in sizes]
    start = next(i for i, s in enumerate(sizes) if s >= 0.02 * max(sizes))
    start = max(start, len(sizes) - 4000)
    if len(sizes) - start < 400:
        return
    print("series %s %d %d 1" % (name, first + start, sizes[start]))
    words, gap = [], 0
    for before, size in zip(sizes[start:], sizes[start + 1:]):
        gap += 1
        if size != before:
            words.append("%s%d" % ("" if gap == 1 else "%d:" % gap, size - before))
            gap = 0
    for i in range(0, len(words), 12):
        print(" ".join(words[i:i + 12]))


def main():
    paths = sys.argv[1:] or sorted(glob.glob("/usr/share/doc/*/changelog*.gz"))
    groups = collections.defaultdict(lambda: collections.defaultdict(float))
    seen = set()
    for path in paths:
        text, name = text_of(path), re.sub(r"\W", "", path.split("/")[-2])
        if hash_of(text) in seen:
            continue
        seen.add(hash_of(text))
        part = "held" if hash_of(name) % 2 else "dev"
        if path.endswith("changelog.Debian.gz"):
            start, group = 0, hash_of(text.split(" ")[0]) % 10
            for m in re.finditer(r"^ -- .*?>\s+(\w{3}, +\d+ \w{3} \d{4} [\d:]+ [+-]\d{4})", text, re.M):
                day = email.utils.parsedate_to_datetime(m.group(1)).toordinal() - 719163
                if day > 11000:
                    groups[group][day] += m.end() - start
                start = m.end()
        elif len(re.findall("files? changed", text[:300000])) > 20:
            folders = lines_changed(text)
            for folder in sorted(folders, key=lambda f: -len(folders[f]))[:8]:
                if folder == "" or len(folders[folder]) >= 60 and not re.search(r"[./=]", folder):
                    show("%s-git-%s" % (part, name + ("_" + folder if folder else "")), folders[folder])
        else:
            growth = bytes_written(text)
            if len(growth) >= 250:
                show("%s-log-%s" % (part, name), growth)
    for group, growth in sorted(groups.items()):
        show("%s-deb-g%d" % ("held" if group % 2 else "dev", group), growth)


main()
