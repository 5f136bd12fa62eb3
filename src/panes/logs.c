/*
 * Logs: what the server wrote into its log, newest first; the first row is the newest as long as
 * the cursor stands on it. A statement with its duration is shown as the statement, its duration in
 * a column of its own; an error with the statement that raised it.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "model/logentry.h"
#include "panes/logs_detail.h"

enum {
	C_TIME,
	C_SEVERITY,
	C_KIND,
	C_PID,
	C_DURATION,
	C_SHOWN,
	C_USER,
	C_DATABASE,
	C_APPLICATION,
	C_CLIENT,
	C_SQLSTATE,
	C_MESSAGE,
	C_STATEMENT,
	C_DETAIL,
	C_HINT,
	C_CONTEXT,
	C_INTERNAL_QUERY,
	C_OBJECT,
	C_BYTES,
	C_PARTIES,
	C_BACKEND_TYPE,
	C_SESSION_ID,
	C_LINE_NUM,
	C_LEADER_PID,
	C_COMMAND_TAG,
	C_VXID,
	C_XID,
	C_QUERY_ID,
	C_LOCATION,
	C_IS_CUT,
	C_FILE,
	C_OFFSET,
	C_COUNT
};
enum { MODE_ALL, MODE_PROBLEMS, MODE_SLOW };
enum { ROWS_MAX = 5000 };

static const struct column columns[C_COUNT] = {
	[C_TIME] = { "time", "TIME", COL_TIME, 9, COL_KEY | COL_FIXED,
	    "when it was written, by the server's clock" },
	[C_SEVERITY] = { "severity", "SEV", COL_TEXT, 7, 0,
	    "LOG, WARNING, ERROR, FATAL, PANIC; empty where it is not the server's own entry" },
	[C_KIND] = { "kind", "KIND", COL_TEXT, 10, 0,
	    "what it is about: slow, error, deadlock, lock_wait, cancel, auth, connect, disconnect, temp_file, checkpoint, autovacuum, autoanalyze, replication, archive, settings, server, crash, plan, statement, warning, output, gap, other" },
	[C_PID] = { "pid", "PID", COL_INT, 6, 0, "process that wrote it" },
	[C_DURATION] = { "duration_ms", "DURATION", COL_MS, 8, 0,
	    "of the statement, wait, session, checkpoint or vacuum that it tells of" },
	[C_SHOWN] = { "shown", "ENTRY", COL_QUERY, 20, COL_NOJSON,
	    "the message, or the statement where that says more" },
	[C_USER] = { "user", "USER", COL_TEXT, 6, COL_HIDDEN, "role of the session" },
	[C_DATABASE] = { "database", "DB", COL_TEXT, 5, COL_HIDDEN, "database of the session" },
	[C_APPLICATION] = { "application", "APPLICATION", COL_TEXT, 11, COL_HIDDEN,
	    "application_name; where the log's format has it" },
	[C_CLIENT] = { "client", "CLIENT", COL_TEXT, 10, COL_HIDDEN,
	    "address of the client; [local] is a Unix socket" },
	[C_SQLSTATE] = { "sqlstate", "STATE", COL_TEXT, 5, COL_HIDDEN,
	    "SQLSTATE of an error or warning; stderr logs have it with %e" },
	[C_MESSAGE] = { "message", "MESSAGE", COL_TEXT, 20, COL_HIDDEN, "the message itself" },
	[C_STATEMENT] = { "statement", "STATEMENT", COL_TEXT, 20, COL_HIDDEN,
	    "the statement that it is about" },
	[C_DETAIL] = { "detail", "DETAIL", COL_TEXT, 20, COL_HIDDEN, "DETAIL of the message" },
	[C_HINT] = { "hint", "HINT", COL_TEXT, 20, COL_HIDDEN, "HINT of the message" },
	[C_CONTEXT] = { "context", "CONTEXT", COL_TEXT, 20, COL_HIDDEN,
	    "CONTEXT of the message: the functions it came through" },
	[C_INTERNAL_QUERY] = { "internal_query", "QUERY", COL_TEXT, 20, COL_HIDDEN,
	    "the statement within a function that raised it" },
	[C_OBJECT] = { "object", "OBJECT", COL_TEXT, 12, COL_HIDDEN,
	    "table of a vacuum, object of a lock, path of a temporary file" },
	[C_BYTES] = { "bytes", "BYTES", COL_BYTES, 6, COL_HIDDEN, "size of the temporary file" },
	[C_PARTIES] = { "parties", "PARTIES", COL_INTS, 10, COL_HIDDEN,
	    "processes of a deadlock or of a wait for a lock" },
	[C_BACKEND_TYPE] = { "backend_type", "TYPE", COL_TEXT, 14, COL_HIDDEN,
	    "client backend, autovacuum worker, …; where the log's format has it" },
	[C_SESSION_ID] = { "session_id", "SESSION", COL_TEXT, 13, COL_HIDDEN,
	    "start and pid of the session, as %c" },
	[C_LINE_NUM] = { "line_num", "LINE", COL_INT, 5, COL_HIDDEN,
	    "number of the entry in its session" },
	[C_LEADER_PID] = { "leader_pid", "LEADER", COL_INT, 6, COL_HIDDEN,
	    "leader of a parallel worker" },
	[C_COMMAND_TAG] = { "command_tag", "TAG", COL_TEXT, 8, COL_HIDDEN,
	    "command of the session then" },
	[C_VXID] = { "vxid", "VXID", COL_TEXT, 8, COL_HIDDEN, "virtual transaction id" },
	[C_XID] = { "xid", "XID", COL_INT, 8, COL_HIDDEN, "transaction id, once it wrote" },
	[C_QUERY_ID] = { "query_id", "QUERY.ID", COL_INT, 20, COL_HIDDEN,
	    "as in pg_stat_statements; from PostgreSQL 14, with compute_query_id" },
	[C_LOCATION] = { "location", "LOCATION", COL_TEXT, 10, COL_HIDDEN,
	    "where in the server's source, with log_error_verbosity = verbose" },
	[C_IS_CUT] = { "is_cut", "CUT", COL_BOOL, 3, COL_HIDDEN,
	    "it is longer than what was kept of it" },
	[C_FILE] = { "file", "FILE", COL_TEXT, 20, COL_KEY | COL_HIDDEN,
	    "log file, as the server names it" },
	[C_OFFSET] = { "offset", "OFFSET", COL_INT, 10, COL_KEY | COL_HIDDEN,
	    "where in that file it begins, in bytes" },
};

/* Columns of the grid that are a column of the probe, of the same name. */
static const char *const names[C_COUNT] = {
	[C_TIME] = "time",
	[C_SEVERITY] = "severity",
	[C_KIND] = "kind",
	[C_PID] = "pid",
	[C_DURATION] = "duration_ms",
	[C_USER] = "user",
	[C_DATABASE] = "database",
	[C_APPLICATION] = "application",
	[C_CLIENT] = "client",
	[C_SQLSTATE] = "sqlstate",
	[C_MESSAGE] = "message",
	[C_STATEMENT] = "statement",
	[C_DETAIL] = "detail",
	[C_HINT] = "hint",
	[C_CONTEXT] = "context",
	[C_INTERNAL_QUERY] = "internal_query",
	[C_OBJECT] = "object",
	[C_BYTES] = "bytes",
	[C_PARTIES] = "parties",
	[C_BACKEND_TYPE] = "backend_type",
	[C_SESSION_ID] = "session_id",
	[C_LINE_NUM] = "line_num",
	[C_LEADER_PID] = "leader_pid",
	[C_COMMAND_TAG] = "command_tag",
	[C_VXID] = "vxid",
	[C_XID] = "xid",
	[C_QUERY_ID] = "query_id",
	[C_LOCATION] = "location",
	[C_IS_CUT] = "is_cut",
	[C_FILE] = "file",
	[C_OFFSET] = "offset",
};

static const enum probe_id probes[] = { PROBE_LOG_SOURCE, PROBE_LOGS };

static const struct pane_mode modes[] = {
	[MODE_ALL] = { "all", "every entry" },
	[MODE_PROBLEMS] = { "problems",
	    "warnings and worse, deadlocks, waits for locks, cancelled and refused sessions" },
	[MODE_SLOW] = { "slow", "statements with their durations, and plans" },
	{ NULL, NULL },
};

static const struct {
	enum log_kind kind;
	const char *fact;
} counted[] = {
	{ LOGKIND_DEADLOCK, "deadlocks" },
	{ LOGKIND_LOCK_WAIT, "lock_waits" },
	{ LOGKIND_CANCEL, "cancels" },
	{ LOGKIND_AUTH, "refused_logins" },
	{ LOGKIND_SLOW, "slow" },
	{ LOGKIND_TEMP_FILE, "temp_files" },
	{ LOGKIND_CHECKPOINT, "checkpoints" },
	{ LOGKIND_AUTOVACUUM, "autovacuums" },
	{ LOGKIND_CRASH, "crashes" },
};

struct filling {
	const struct pane_ctx *ctx;
	struct grid *grid;
	int mode;
	int64_t kinds[LOGKIND_COUNT], severities[LOGSEV_COUNT], temp_bytes;
	struct cell oldest, newest;
};

static enum log_kind
kind_of(const struct cell *c)
{
	for (int i = 0; i < LOGKIND_COUNT; i++)
		if (cell_is(c, log_kinds[i].name))
			return (enum log_kind)i;
	return LOGKIND_OTHER;
}

static enum log_severity
severity_of(const struct cell *c)
{
	for (int i = 1; i < LOGSEV_COUNT; i++)
		if (cell_is(c, log_severity_names[i]))
			return (enum log_severity)i;
	return LOGSEV_NONE;
}

enum role
logs_role(enum log_severity severity, enum log_kind kind)
{
	if (severity >= LOGSEV_ERROR || kind == LOGKIND_CRASH || kind == LOGKIND_DEADLOCK)
		return ROLE_CRIT;
	if (severity == LOGSEV_WARNING || kind == LOGKIND_LOCK_WAIT || kind == LOGKIND_ARCHIVE ||
	    kind == LOGKIND_GAP)
		return ROLE_WARN;
	if (kind == LOGKIND_SLOW || kind == LOGKIND_PLAN || kind == LOGKIND_TEMP_FILE)
		return ROLE_INFO;
	return ROLE_NORMAL;
}

static bool
is_shown(int mode, enum log_severity severity, enum log_kind kind)
{
	switch (mode) {
	case MODE_SLOW:
		return kind == LOGKIND_SLOW || kind == LOGKIND_PLAN;
	case MODE_PROBLEMS:
		return severity >= LOGSEV_WARNING || kind == LOGKIND_DEADLOCK ||
		    kind == LOGKIND_LOCK_WAIT || kind == LOGKIND_CRASH || kind == LOGKIND_AUTH ||
		    kind == LOGKIND_CANCEL || kind == LOGKIND_GAP || kind == LOGKIND_OUTPUT;
	default:
		return true;
	}
}

static struct cell
shown_text(struct arena *arena, enum log_kind kind, const struct cell *c)
{
	const struct cell *message = &c[C_MESSAGE], *statement = &c[C_STATEMENT];

	if (statement->type != CELL_TEXT || statement->len == 0 || message->type != CELL_TEXT)
		return *message;
	if (kind == LOGKIND_SLOW || kind == LOGKIND_STATEMENT)
		return *statement;
	return cell_text(arena_printf(arena, "%.*s  STATEMENT: %.*s", (int)message->len, message->s,
	    statement->len < 500 ? (int)statement->len : 500, statement->s));
}

static void
count(struct filling *f, const struct cell *c, enum log_severity severity, enum log_kind kind)
{
	f->kinds[kind]++;
	f->severities[severity]++;
	f->temp_bytes += cell_i64(&c[C_BYTES], 0);
	if (c[C_TIME].type != CELL_TIME)
		return;
	if (f->newest.type != CELL_TIME)
		f->newest = c[C_TIME];
	f->oldest = c[C_TIME];
}

/* Of pgmedic itself, where everything is logged. */
static bool
is_own(const struct filling *f, const struct cell *pid)
{
	const struct server_info *server = &f->ctx->snap->server;
	int64_t n = cell_i64(pid, 0);

	return n && (n == server->own_pid || n == server->action_pid);
}

static void
add_row(struct filling *f, const struct rowset *rs, const int *index, int from)
{
	struct cell c[C_COUNT];
	enum log_kind kind;
	enum log_severity severity;
	struct grid_row *row;

	for (int i = 0; i < C_COUNT; i++)
		c[i] = names[i] ? *rowset_cell(rs, from, index[i]) : cell_null(WHY_NONE);
	kind = kind_of(&c[C_KIND]);
	severity = severity_of(&c[C_SEVERITY]);
	count(f, c, severity, kind);
	if (!is_shown(f->mode, severity, kind))
		return;
	row = grid_add(f->grid);
	c[C_SHOWN] = shown_text(&f->grid->arena, kind, c);
	memcpy(row->cells, c, sizeof(c));
	row->cells[C_SEVERITY].role = row->cells[C_KIND].role = (uint8_t)logs_role(severity, kind);
	if (kind == LOGKIND_CONNECT || kind == LOGKIND_DISCONNECT || is_own(f, &c[C_PID]))
		row->role = ROLE_DIM;
}

static void
add_facts(const struct filling *f)
{
	int64_t n = 0;
	struct grid *g = f->grid;

	for (int i = 0; i < LOGKIND_COUNT; i++)
		n += f->kinds[i];
	grid_fact(g, "entries", COL_COUNT, cell_int(n));
	grid_fact(g, "errors", COL_COUNT,
	    cell_int(f->severities[LOGSEV_ERROR] + f->severities[LOGSEV_FATAL] +
	        f->severities[LOGSEV_PANIC]));
	grid_fact(g, "warnings", COL_COUNT, cell_int(f->severities[LOGSEV_WARNING]));
	for (size_t i = 0; i < ARRAY_LEN(counted); i++)
		grid_fact(g, counted[i].fact, COL_COUNT, cell_int(f->kinds[counted[i].kind]));
	grid_fact(g, "temp_bytes", COL_BYTES, cell_int(f->temp_bytes));
	grid_fact(g, "oldest", COL_TIME, f->oldest);
	grid_fact(g, "newest", COL_TIME, f->newest);
}

/* Messages in another language: little of what they are about is known then. */
static void
note_language(const struct pane_ctx *ctx, struct grid *g)
{
	const struct rowset *rs = snapshot_rows(ctx->snap, PROBE_LOG_SOURCE);
	const struct cell *c = rs && rs->nrows ? rowset_get(rs, 0, "messages") : NULL;
	static const char *const plain[] = { "C", "POSIX", "en" };

	if (!c || c->type != CELL_TEXT || c->len == 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
		size_t n = strlen(plain[i]);
		if (c->len >= n && memcmp(c->s, plain[i], n) == 0 &&
		    (c->len == n || strchr("._@", c->s[n])))
			return;
	}
	grid_notef(g, "language", "lc_messages = 'C' makes a log that every tool can read.",
	    "messages are written in %.*s: severity, durations and SQLSTATEs are read, what else they are about is not",
	    (int)c->len, c->s);
}

static void
logs_fill(const struct pane_ctx *ctx, struct grid *grid)
{
	const struct snapshot *s = ctx->snap;
	struct filling f = { .ctx = ctx,
		.grid = grid,
		.mode = ctx->opts ? ctx->opts->mode : MODE_ALL,
		.oldest = cell_null(WHY_NODATA),
		.newest = cell_null(WHY_NODATA) };
	int left = ROWS_MAX;
	bool is_read = pane_rows(ctx, grid, PROBE_LOGS) != NULL;

	for (int i = s->nlogs - 1; i >= 0; i--) {
		const struct rowset *rs = s->logs[i]->rows;
		int index[C_COUNT];

		for (int k = 0; k < C_COUNT; k++)
			index[k] = names[k] ? rowset_col(rs, names[k]) : -1;
		for (int row = rs->nrows - 1; row >= 0 && left > 0; row--, left--)
			add_row(&f, rs, index, row);
	}
	if (is_read || s->nlogs > 0)
		add_facts(&f);
	if (is_read && s->nlogs == 0)
		grid_note(grid, "info", "nothing has been written to the log", "");
	if (is_read)
		note_language(ctx, grid);
}

static void
logs_detail(const struct pane_ctx *ctx, const struct grid *grid, int row, struct doc *doc)
{
	const struct cell *c = grid->rows[row].cells;
	struct log_story story = { .doc = doc, .ctx = ctx, .cells = c, .columns = columns };

	story.severity = severity_of(&c[C_SEVERITY]);
	story.kind = kind_of(&c[C_KIND]);
	logs_story(&story, &c[C_TIME], &c[C_PID], &c[C_MESSAGE]);
	for (int i = C_DETAIL; i <= C_INTERNAL_QUERY; i++)
		logs_story_text(&story, columns[i].title, &c[i]);
	logs_story_text(&story, "STATEMENT", &c[C_STATEMENT]);
	doc_add(doc, ROLE_NORMAL, "%s", "");
	logs_story_pair(&story, C_DURATION);
	for (int i = C_USER; i <= C_SQLSTATE; i++)
		logs_story_pair(&story, i);
	for (int i = C_OBJECT; i <= C_BYTES; i++)
		logs_story_pair(&story, i);
	logs_story_parties(&story, &c[C_PARTIES]);
	for (int i = C_BACKEND_TYPE; i < C_COUNT; i++)
		if (i != C_IS_CUT || cell_i64(&c[i], 0))
			logs_story_pair(&story, i);
}

const struct pane pane_logs = {
	.name = "logs",
	.title = "Logs",
	.help =
	    "The server's log, newest first, followed: slow statements, errors, deadlocks with their parties, waits for locks, "
	    "checkpoints, autovacuum, temporary files, connections, replication.",
	.columns = columns,
	.ncolumns = C_COUNT,
	.probes = probes,
	.nprobes = ARRAY_LEN(probes),
	.is_steady = true,
	.follows = true,
	.modes = modes,
	.fill = logs_fill,
	.detail = logs_detail,
};
