/*
 * Binary values into cells. A column's reader is chosen once per answer from what the server says
 * its type is and what the query file declares; an answer that does not fit is an error of its own,
 * never a wrong number. Every length is checked: behind a relay or an odd server, bytes are
 * whatever they are.
 */
#include "config.h"

#include "pg/decode.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cell.h"

/* Type ids from the server's pg_type.dat; they never change. */
enum {
	OID_BOOL = 16,
	OID_BYTEA = 17,
	OID_CHAR = 18,
	OID_NAME = 19,
	OID_INT8 = 20,
	OID_INT2 = 21,
	OID_INT4 = 23,
	OID_REGPROC = 24,
	OID_TEXT = 25,
	OID_OID = 26,
	OID_XID = 28,
	OID_CID = 29,
	OID_JSON = 114,
	OID_FLOAT4 = 700,
	OID_FLOAT8 = 701,
	OID_UNKNOWN = 705,
	OID_INT2S = 1005,
	OID_INT4S = 1007,
	OID_INT8S = 1016,
	OID_OIDS = 1028,
	OID_XIDS = 1011,
	OID_BPCHAR = 1042,
	OID_VARCHAR = 1043,
	OID_TIMESTAMPTZ = 1184,
	OID_REGCLASS = 2205,
	OID_REGTYPE = 2206,
	OID_PG_LSN = 3220,
	OID_JSONB = 3802,
	OID_REGNAMESPACE = 4089,
	OID_REGROLE = 4096,
	OID_XID8 = 5069,
};

/* From 2000-01-01, where the server counts from, to 1970-01-01, in microseconds. */
static const int64_t epoch_us = INT64_C(946684800) * 1000000;
enum { MAX_VALUE = 64 << 20, MAX_LIST = 1 << 20 };

typedef bool reader(struct rowset *rs, struct cell *cell, const char *v, int len);

static uint64_t
get64(const char *v)
{
	uint32_t high, low;
	memcpy(&high, v, 4);
	memcpy(&low, v + 4, 4);
	return (uint64_t)ntohl(high) << 32 | ntohl(low);
}

static uint32_t
get32(const char *v)
{
	uint32_t u;
	memcpy(&u, v, 4);
	return ntohl(u);
}

static bool
read_bool(struct rowset *rs, struct cell *cell, const char *v, int len)
{
	(void)rs;
	*cell = cell_bool(*v != 0);
	return len == 1;
}

static bool
read_int2(struct rowset *rs, struct cell *cell, const char *v, int len)
{
	(void)rs;
	if (len != 2)
		return false;
	uint16_t u;
	memcpy(&u, v, 2);
	*cell = cell_int((int16_t)ntohs(u));
	return true;
}

static bool
read_int4(struct rowset *rs, struct cell *cell, const char *v, int len)
{
	(void)rs;
	if (len != 4)
		return false;
	*cell = cell_int((int32_t)get32(v));
	return true;
}

static bool
read_uint4(struct rowset *rs, struct cell *cell, const char *v, int len)
{
	(void)rs;
	if (len != 4)
		return false;
	*cell = cell_int(get32(v));
	return true;
}

static bool
read_int8(struct rowset *rs, struct cell *cell, const char *v, int len)
{
	(void)rs;
	if (len != 8)
		return false;
	*cell = cell_int((int64_t)get64(v));
	return true;
}

static bool
read_float4(struct rowset *rs, struct cell *cell, const char *v, int len)
{
	(void)rs;
	if (len != 4)
		return false;
	uint32_t u = get32(v);
	float f;
	memcpy(&f, &u, 4);
	*cell = cell_float(f);
	return true;
}

static bool
read_float8(struct rowset *rs, struct cell *cell, const char *v, int len)
{
	(void)rs;
	if (len != 8)
		return false;
	uint64_t u = get64(v);
	double f;
	memcpy(&f, &u, 8);
	*cell = cell_float(f);
	return true;
}

/* -infinity and infinity are no moment: unknown. */
static bool
read_time(struct rowset *rs, struct cell *cell, const char *v, int len)
{
	(void)rs;
	if (len != 8)
		return false;
	int64_t us = (int64_t)get64(v);
	if (us == INT64_MAX || us == INT64_MIN || us > INT64_MAX - epoch_us)
		*cell = cell_null(WHY_NONE);
	else
		*cell = cell_time(us + epoch_us);
	return true;
}

static bool
read_text(struct rowset *rs, struct cell *cell, const char *v, int len)
{
	*cell = cell_textn(arena_strndup(&rs->arena, v, (size_t)len), (size_t)len);
	return true;
}

/* jsonb is sent as a version byte and text. */
static bool
read_jsonb(struct rowset *rs, struct cell *cell, const char *v, int len)
{
	return len >= 1 && *v == 1 && read_text(rs, cell, v + 1, len - 1);
}

/*
 * A one-dimensional array of integers: dimensions, null flag, element type, then length and lower
 * bound of the dimension, then each element with its length. NULL elements are left out.
 */
static bool
read_ints(struct rowset *rs, struct cell *cell, const char *v, int len)
{
	if (len < 12)
		return false;
	uint32_t dims = get32(v), type = get32(v + 8);
	*cell = (struct cell){ .ints = NULL, .len = 0, .type = CELL_INTS };
	if (dims == 0)
		return true;
	if (dims != 1 || len < 20)
		return false;
	uint32_t n = get32(v + 12);
	const char *p = v + 20, *end = v + len;
	if (n > MAX_LIST || (size_t)(end - p) / 4 < n)
		return false;
	int64_t *ints = arena_alloc(&rs->arena, (n ? n : 1) * sizeof(*ints));
	uint32_t used = 0;
	for (uint32_t i = 0; i < n; i++) {
		if (end - p < 4)
			return false;
		int32_t size = (int32_t)get32(p);
		p += 4;
		if (size == -1)
			continue;
		if (size < 0 || end - p < size)
			return false;
		struct cell one;
		bool is_unsigned = type == OID_OID || type == OID_XID;
		if (!(size == 8         ? read_int8 :
		            size == 2   ? read_int2 :
		            is_unsigned ? read_uint4 :
		                          read_int4)(rs, &one, p, size))
			return false;
		ints[used++] = one.i;
		p += size;
	}
	cell->ints = ints;
	cell->len = used;
	return true;
}

static reader *
int_reader(Oid type)
{
	switch (type) {
	case OID_INT2:
		return read_int2;
	case OID_INT4:
		return read_int4;
	case OID_INT8:
	case OID_PG_LSN:
	case OID_XID8:
		return read_int8;
	case OID_OID:
	case OID_XID:
	case OID_CID:
	case OID_REGPROC:
	case OID_REGCLASS:
	case OID_REGTYPE:
	case OID_REGNAMESPACE:
	case OID_REGROLE:
		return read_uint4;
	default:
		return NULL;
	}
}

static reader *
text_reader(Oid type)
{
	switch (type) {
	case OID_TEXT:
	case OID_NAME:
	case OID_VARCHAR:
	case OID_BPCHAR:
	case OID_CHAR:
	case OID_JSON:
	case OID_BYTEA:
	case OID_UNKNOWN:
		return read_text;
	case OID_JSONB:
		return read_jsonb;
	default:
		return NULL;
	}
}

/* NULL: a column declared so cannot come as this type. */
static reader *
choose_reader(uint8_t declared, Oid type)
{
	switch (declared) {
	case CELL_BOOL:
		return type == OID_BOOL ? read_bool : NULL;
	case CELL_INT:
		return int_reader(type);
	case CELL_FLOAT:
		return type == OID_FLOAT8 ? read_float8 : type == OID_FLOAT4 ? read_float4 : NULL;
	case CELL_TEXT:
		return text_reader(type);
	case CELL_TIME:
		return type == OID_TIMESTAMPTZ ? read_time : NULL;
	case CELL_INTS:
		return type == OID_INT2S || type == OID_INT4S || type == OID_INT8S ||
		        type == OID_OIDS || type == OID_XIDS ?
		    read_ints :
		    NULL;
	default:
		return NULL;
	}
}

static bool
choose_readers(
    const PGresult *result, const struct pg_query *q, reader **readers, struct error *err)
{
	int n = PQnfields(result);
	if (n != q->ncols)
		return error_set(err, ERR_PROTOCOL, "query %s: %d columns came, %d were expected",
		    q->name, n, q->ncols);
	for (int i = 0; i < n; i++) {
		if (strcmp(PQfname(result, i), q->col_names[i]) != 0)
			return error_set(err, ERR_PROTOCOL, "query %s: column %d is %.60s, not %s",
			    q->name, i + 1, PQfname(result, i), q->col_names[i]);
		readers[i] = PQfformat(result, i) == 1 ?
		    choose_reader(q->col_types[i], PQftype(result, i)) :
		    NULL;
		if (!readers[i])
			return error_set(err, ERR_PROTOCOL, "query %s: column %s came as type %u",
			    q->name, q->col_names[i], PQftype(result, i));
	}
	return true;
}

struct rowset *
decode_rows(const PGresult *result, const struct pg_query *q, struct error *err)
{
	reader *readers[128] = { NULL };
	if (q->ncols > (int)ARRAY_LEN(readers)) {
		error_set(err, ERR_PROTOCOL, "query %s: too many columns", q->name);
		return NULL;
	}
	if (!choose_readers(result, q, readers, err))
		return NULL;
	struct rowset *rs = rowset_new(q->ncols, q->col_names, q->col_types);
	int nrows = PQntuples(result);
	for (int row = 0; row < nrows; row++) {
		struct cell *cells = rowset_add(rs);
		for (int col = 0; col < q->ncols; col++) {
			if (PQgetisnull(result, row, col))
				continue;
			int len = PQgetlength(result, row, col);
			if (len > MAX_VALUE ||
			    !readers[col](rs, &cells[col], PQgetvalue(result, row, col), len)) {
				error_set(err, ERR_PROTOCOL,
				    "query %s: a value of column %s is damaged", q->name,
				    q->col_names[col]);
				rowset_unref(rs);
				return NULL;
			}
		}
	}
	return rs;
}

static bool
is_integer(const char *s, int len)
{
	if (len > 0 && *s == '-') {
		s++;
		len--;
	}
	if (len < 1 || len > 18)
		return false;
	for (int i = 0; i < len; i++)
		if (s[i] < '0' || s[i] > '9')
			return false;
	return true;
}

static uint8_t
guess_type(const PGresult *result, int col)
{
	/* Names stay text even when all of them look like numbers today. */
	static const char *const names[] = {
		"name",
		"database",
		"user",
		"host",
		"addr",
		"local_addr",
		"state",
		"type",
		"link",
		"ptr",
		"application_name",
		"force_user",
		"pool_mode",
	};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(PQfname(result, col), names[i]) == 0)
			return CELL_TEXT;
	bool any = false;
	int nrows = PQntuples(result);
	for (int row = 0; row < nrows; row++) {
		if (PQgetisnull(result, row, col))
			continue;
		if (!is_integer(PQgetvalue(result, row, col), PQgetlength(result, row, col)))
			return CELL_TEXT;
		any = true;
	}
	return any ? CELL_INT : CELL_TEXT;
}

struct rowset *
decode_text(const PGresult *result, struct error *err)
{
	const char *names[128];
	uint8_t types[128];
	int n = PQnfields(result);
	if (n > (int)ARRAY_LEN(names)) {
		error_set(err, ERR_PROTOCOL, "%d columns came, more than %zu", n, ARRAY_LEN(names));
		return NULL;
	}
	for (int col = 0; col < n; col++) {
		names[col] = PQfname(result, col);
		types[col] = guess_type(result, col);
	}
	struct rowset *rs = rowset_new(n, names, types);
	int nrows = PQntuples(result);
	for (int row = 0; row < nrows; row++) {
		struct cell *cells = rowset_add(rs);
		for (int col = 0; col < n; col++) {
			if (PQgetisnull(result, row, col))
				continue;
			const char *v = PQgetvalue(result, row, col);
			if (types[col] == CELL_INT)
				cells[col] = cell_int(strtoll(v, NULL, 10));
			else
				read_text(rs, &cells[col], v, PQgetlength(result, row, col));
		}
	}
	return rs;
}
