#include "config.h"

#include "collect/log_rows.h"

#include <math.h>
#include <stdio.h>
#include <strings.h>

#include "base/log.h"

/* Of the statement of a bulk load the beginning tells which one it is. */
enum { TEXT_MAX = 32 << 10 };

#define COLUMN_LIST(X)                             \
	X(TIME, "time", CELL_TIME)                 \
	X(SEVERITY, "severity", CELL_TEXT)         \
	X(KIND, "kind", CELL_TEXT)                 \
	X(PID, "pid", CELL_INT)                    \
	X(USER, "user", CELL_TEXT)                 \
	X(DATABASE, "database", CELL_TEXT)         \
	X(APPLICATION, "application", CELL_TEXT)   \
	X(CLIENT, "client", CELL_TEXT)             \
	X(BACKEND_TYPE, "backend_type", CELL_TEXT) \
	X(SESSION_ID, "session_id", CELL_TEXT)     \
	X(LINE_NUM, "line_num", CELL_INT)          \
	X(LEADER_PID, "leader_pid", CELL_INT)      \
	X(COMMAND_TAG, "command_tag", CELL_TEXT)   \
	X(VXID, "vxid", CELL_TEXT)                 \
	X(XID, "xid", CELL_INT)                    \
	X(QUERY_ID, "query_id", CELL_INT)          \
	X(SQLSTATE, "sqlstate", CELL_TEXT)         \
	X(DURATION, "duration_ms", CELL_FLOAT)     \
	X(BYTES, "bytes", CELL_INT)                \
	X(OBJECT, "object", CELL_TEXT)             \
	X(PARTIES, "parties", CELL_INTS)           \
	X(MESSAGE, "message", CELL_TEXT)           \
	X(STATEMENT, "statement", CELL_TEXT)       \
	X(DETAIL, "detail", CELL_TEXT)             \
	X(HINT, "hint", CELL_TEXT)                 \
	X(CONTEXT, "context", CELL_TEXT)           \
	X(QUERY, "internal_query", CELL_TEXT)      \
	X(LOCATION, "location", CELL_TEXT)         \
	X(FILE, "file", CELL_TEXT)                 \
	X(OFFSET, "offset", CELL_INT)              \
	X(IS_CUT, "is_cut", CELL_BOOL)

enum {
#define X(sym, name, type) LR_##sym,
	COLUMN_LIST(X)
#undef X
	    LR_COUNT
};

static const char *const names[LR_COUNT] = {
#define X(sym, name, type) name,
	COLUMN_LIST(X)
#undef X
};

static const uint8_t types[LR_COUNT] = {
#define X(sym, name, type) type,
	COLUMN_LIST(X)
#undef X
};

void
log_rows_begin(struct log_rows *r, const char *file)
{
	if (!r->rows)
		r->rows = rowset_new(LR_COUNT, names, types);
	if (!r->clean.buf)
		strbuf_init(&r->clean, TEXT_MAX);
	r->file = arena_strdup(&r->rows->arena, file);
}

struct rowset *
log_rows_take(struct log_rows *r)
{
	struct rowset *rows = r->rows ? r->rows : rowset_new(LR_COUNT, names, types);

	r->rows = NULL;
	r->file = NULL;
	return rows;
}

void
log_rows_release(struct log_rows *r)
{
	rowset_unref(r->rows);
	if (r->clean.buf)
		strbuf_release(&r->clean);
	r->rows = NULL;
}

/* redact() looks at each word, which is too slow for a busy log: is there anything for it? */
static bool
may_hold_secret(const char *s, size_t len)
{
	static const char *const signs[] = { "pass", "pwd", "secret", "token", "key", "credential",
		"signature", "authorization", "://", "akia", "asia", "eyj" };

	for (size_t i = 0; i < len; i++) {
		switch (s[i] | 0x20) {
		case 'p':
		case 's':
		case 't':
		case 'k':
		case 'c':
		case 'a':
		case 'e':
		case ':':
			break;
		default:
			continue;
		}
		for (size_t k = 0; k < sizeof(signs) / sizeof(signs[0]); k++)
			if ((signs[k][0] | 0x20) == (s[i] | 0x20) && len - i >= strlen(signs[k]) &&
			    strncasecmp(s + i, signs[k], strlen(signs[k])) == 0)
				return true;
	}
	return false;
}

/* A long text loses its end, not the half of a character. */
static size_t
cut(const char *s, size_t len)
{
	if (len <= TEXT_MAX)
		return len;
	for (len = TEXT_MAX; len > TEXT_MAX - 4 && ((unsigned char)s[len] & 0xc0) == 0x80;)
		len--;
	return len;
}

static struct cell
plain(struct log_rows *r, struct log_text t)
{
	size_t len = t.s ? cut(t.s, t.len) : 0;

	return t.s ? cell_textn(arena_strndup(&r->rows->arena, t.s, len), len) :
	             cell_null(WHY_NONE);
}

/* Statements and what is made of them hold literals. A NUL ends what redact() would see. */
static struct cell
redacted(struct log_rows *r, struct log_text t, bool *is_cut)
{
	size_t len = t.s ? cut(t.s, t.len) : 0;
	char *copy;

	if (!t.s)
		return cell_null(WHY_NONE);
	*is_cut |= len < t.len;
	copy = arena_strndup(&r->rows->arena, t.s, len);
	for (size_t i = 0; i < len; i++)
		if (!copy[i])
			copy[i] = '?';
	if (!may_hold_secret(copy, len))
		return cell_textn(copy, len);
	strbuf_clear(&r->clean);
	r->clean.cut = false;
	redact(&r->clean, copy);
	return cell_textn(arena_strndup(&r->rows->arena, r->clean.buf, r->clean.len), r->clean.len);
}

static struct cell
known(int64_t v)
{
	return v ? cell_int(v) : cell_null(WHY_NONE);
}

static struct cell
parties(struct log_rows *r, const struct log_entry *e)
{
	size_t size = (size_t)e->nparties * sizeof(int64_t);
	int64_t *pids;

	if (e->nparties == 0)
		return cell_null(WHY_NONE);
	pids = arena_alloc(&r->rows->arena, size);
	memcpy(pids, e->parties, size);
	return (struct cell){ .ints = pids, .len = (uint32_t)e->nparties, .type = CELL_INTS };
}

static void
fill_texts(struct log_rows *r, const struct log_entry *e, struct cell *c)
{
	bool is_cut = e->is_cut;

	c[LR_USER] = plain(r, e->user);
	c[LR_DATABASE] = plain(r, e->database);
	c[LR_APPLICATION] = plain(r, e->application);
	c[LR_CLIENT] = plain(r, e->client);
	c[LR_BACKEND_TYPE] = plain(r, e->backend_type);
	c[LR_SESSION_ID] = plain(r, e->session_id);
	c[LR_COMMAND_TAG] = plain(r, e->command_tag);
	c[LR_VXID] = plain(r, e->vxid);
	c[LR_SQLSTATE] = plain(r, e->sqlstate);
	c[LR_OBJECT] = plain(r, e->object);
	c[LR_LOCATION] = plain(r, e->location);
	c[LR_MESSAGE] = redacted(r, e->message, &is_cut);
	c[LR_STATEMENT] = redacted(r, e->statement, &is_cut);
	c[LR_DETAIL] = redacted(r, e->detail, &is_cut);
	c[LR_HINT] = redacted(r, e->hint, &is_cut);
	c[LR_CONTEXT] = redacted(r, e->context, &is_cut);
	c[LR_QUERY] = redacted(r, e->query, &is_cut);
	c[LR_IS_CUT] = cell_bool(is_cut);
}

void
log_rows_add(void *arg, const struct log_entry *e)
{
	struct log_rows *r = arg;
	struct cell *c = rowset_add(r->rows);

	if (e->time_us)
		r->last_us = e->time_us;
	/* What is not the server's has no time of its own: it came behind the entry before it. */
	c[LR_TIME] = r->last_us ? cell_time(r->last_us) : cell_null(WHY_NONE);
	c[LR_SEVERITY] = e->severity == LOGSEV_NONE ? cell_null(WHY_NONE) :
	                                              cell_text(log_severity_names[e->severity]);
	c[LR_KIND] = cell_text(log_kinds[e->kind].name);
	c[LR_PID] = known(e->pid);
	c[LR_LINE_NUM] = known(e->line_num);
	c[LR_LEADER_PID] = known(e->leader_pid);
	c[LR_XID] = known(e->xid);
	c[LR_QUERY_ID] = known(e->query_id);
	c[LR_DURATION] = isnan(e->duration_ms) ? cell_null(WHY_NONE) : cell_float(e->duration_ms);
	c[LR_BYTES] = e->bytes < 0 ? cell_null(WHY_NONE) : cell_int(e->bytes);
	c[LR_PARTIES] = parties(r, e);
	c[LR_FILE] = cell_text(r->file);
	c[LR_OFFSET] = cell_int(e->offset);
	fill_texts(r, e, c);
}

void
log_rows_gap(struct log_rows *r, int64_t offset, const char *why)
{
	struct log_entry e = { .severity = LOGSEV_NONE, .kind = LOGKIND_GAP, .offset = offset };

	e.duration_ms = NAN;
	e.bytes = -1;
	e.message = (struct log_text){ why, strlen(why) };
	log_rows_add(r, &e);
}
