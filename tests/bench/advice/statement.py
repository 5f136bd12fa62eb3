"""The form of a set: statements with their values, the indexes that an expert would make for them, and what counts
as having found the need."""
import hashlib
import random
import re


class Values(random.Random):
    """Random values of one statement, the same in every run."""

    def __init__(self, seed):
        super().__init__(seed)
        self.serials = {}

    def serial(self, name, first, count):
        """[n]: the next of a numbered row, each once."""
        n = self.serials.get(name, 0)
        self.serials[name] = n + 1
        return [first + n % count]

    @staticmethod
    def md5(n):
        return hashlib.md5(str(n).encode()).hexdigest()

    @staticmethod
    def uuid(n):
        """What md5(n::text)::uuid is on the server."""
        h = hashlib.md5(str(n).encode()).hexdigest()
        return "-".join((h[:8], h[8:12], h[12:16], h[16:20], h[20:]))


class Statement:
    """
    name    of the shape
    calls   in one replay
    how     simple (values in the text), extended, prepared (named), execute (SQL's PREPARE and EXECUTE)
    sql     with $1 ...
    values  Values -> list
    need    ways to have found it (index()); empty: none is wanted
    expert  DDL
    trap    relations, or relation:column, on which (led by which) no index is to be advised
    """

    def __init__(self, name, calls, how, sql, values, need=(), expert=(), trap=()):
        self.name, self.calls, self.how, self.sql, self.values = name, calls, how, sql, values
        self.need, self.expert, self.trap = list(need), list(expert), list(trap)


class index:                                        # pylint: disable=invalid-name
    """A wanted index. lead: the first columns in this order; lead_set: in any order; covers: columns that are in it
    somewhere; pred: the predicate is like this (and the keys do not matter unless lead is given); expr: the first key
    is like this."""

    def __init__(self, table, lead=None, lead_set=None, covers=None, pred=None, expr=None, am="btree", opclass=None, desc=None):
        self.table, self.lead, self.lead_set, self.covers = table, lead, lead_set, covers
        self.pred, self.expr, self.am, self.opclass, self.desc = pred, expr, am, opclass, desc

    def met_by(self, ix):
        """ix: a row of indexes() in bench.py."""
        keys = ix["keys"]
        if self.opclass == "gin_trgm_ops":
            if "gin_trgm_ops" not in ix["opclasses"] and "gist_trgm_ops" not in ix["opclasses"]:
                return False
        elif ix["am"] != self.am:
            return False
        elif self.opclass and (not ix["opclasses"] or ix["opclasses"][0] != self.opclass):
            return False
        if self.table != ix["table"]:
            return False
        if self.lead and keys[:len(self.lead)] != self.lead:
            return False
        if self.lead_set and set(keys[:len(self.lead_set)]) != set(self.lead_set):
            return False
        if self.covers and not set(self.covers) <= set(keys + ix["include"]):
            return False
        if self.expr and not (keys and re.search(self.expr, keys[0])):
            return False
        if self.pred:
            return bool(re.search(self.pred, ix["predicate"] or ""))
        # A partial index does not answer what was asked without its predicate.
        if ix["predicate"]:
            return False
        if self.desc:
            got = ix["desc"][:len(self.desc)]
            return got == self.desc or got == [not d for d in self.desc]
        return True
