"""The few functions of libpq that a repeatable workload needs: the simple, the extended and the prepared way of
sending a statement, which is what decides how pg_stat_statements keeps its text."""
import ctypes
import ctypes.util

_lib = ctypes.CDLL(ctypes.util.find_library("pq") or "libpq.so.5")
for _name, _result in (
    ("PQconnectdb", ctypes.c_void_p), ("PQerrorMessage", ctypes.c_char_p), ("PQexec", ctypes.c_void_p),
    ("PQexecParams", ctypes.c_void_p), ("PQprepare", ctypes.c_void_p), ("PQexecPrepared", ctypes.c_void_p),
    ("PQgetvalue", ctypes.c_char_p), ("PQresultErrorMessage", ctypes.c_char_p), ("PQfname", ctypes.c_char_p),
):
    getattr(_lib, _name).restype = _result

COMMAND_OK, TUPLES_OK = 1, 2


class Error(Exception):
    pass


class Connection:
    def __init__(self, conninfo):
        self.conn = ctypes.c_void_p(_lib.PQconnectdb(conninfo.encode()))
        if _lib.PQstatus(self.conn) != 0:
            raise Error(_lib.PQerrorMessage(self.conn).decode())
        self.prepared = {}

    def close(self):
        _lib.PQfinish(self.conn)
        self.conn = None

    def _rows(self, raw, keep):
        result = ctypes.c_void_p(raw)
        try:
            if _lib.PQresultStatus(result) not in (COMMAND_OK, TUPLES_OK):
                raise Error(_lib.PQresultErrorMessage(result).decode().strip())
            if not keep:
                return None
            names = [_lib.PQfname(result, c).decode() for c in range(_lib.PQnfields(result))]
            return [{name: None if _lib.PQgetisnull(result, r, c) else _lib.PQgetvalue(result, r, c).decode()
                     for c, name in enumerate(names)} for r in range(_lib.PQntuples(result))]
        finally:
            _lib.PQclear(result)

    @staticmethod
    def _array(values):
        texts = [None if v is None else str(v).encode() for v in values]
        return len(texts), (ctypes.c_char_p * len(texts))(*texts)

    def run(self, sql, keep=True):
        """One or more statements by the simple protocol."""
        return self._rows(_lib.PQexec(self.conn, sql.encode()), keep)

    def extended(self, sql, values, keep=False):
        n, array = self._array(values)
        return self._rows(_lib.PQexecParams(self.conn, sql.encode(), n, None, array, None, None, 0), keep)

    def named(self, sql, values, keep=False):
        """Prepared once, then executed: the server goes over to a generic plan when that is no dearer."""
        name = self.prepared.get(sql)
        if name is None:
            name = self.prepared[sql] = b"p%d" % len(self.prepared)
            self._rows(_lib.PQprepare(self.conn, name, sql.encode(), 0, None), False)
        n, array = self._array(values)
        return self._rows(_lib.PQexecPrepared(self.conn, name, n, array, None, None, 0), keep)


def literal(value):
    """As a client writes it that puts values into the text."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"
