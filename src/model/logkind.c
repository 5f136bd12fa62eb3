#include "config.h"

#include "model/logkind.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/compat.h"
#include "model/logwords.h"

/* ------------------------------------------------------------------ texts without an end */

static bool
begins(struct log_text t, const char *with)
{
	size_t n = strlen(with);

	return t.len >= n && memcmp(t.s, with, n) == 0;
}

/* Where `what` begins in the text, or its length. Only the head of long texts is looked at. */
static size_t
find(struct log_text t, const char *what)
{
	size_t n = strlen(what), limit = t.len < 4096 ? t.len : 4096;

	for (size_t i = 0; i + n <= limit; i++)
		if (t.s[i] == *what && memcmp(t.s + i, what, n) == 0)
			return i;
	return t.len;
}

static bool
contains(struct log_text t, const char *what)
{
	return find(t, what) < t.len;
}

static struct log_text
behind(struct log_text t, size_t n)
{
	if (n > t.len)
		n = t.len;
	return (struct log_text){ t.s + n, t.len - n };
}

static struct log_text
behind_word(struct log_text t, const char *what)
{
	size_t at = find(t, what);

	return at < t.len ? behind(t, at + strlen(what)) : (struct log_text){ NULL, 0 };
}

static double
number(struct log_text t)
{
	char buf[32];
	size_t n = 0;

	while (n < t.len && n < sizeof(buf) - 1 && strchr("0123456789.", t.s[n]) && t.s[n]) {
		buf[n] = t.s[n];
		n++;
	}
	buf[n] = '\0';
	return n ? strtod(buf, NULL) : NAN;
}

static double
number_behind(struct log_text t, const char *what)
{
	struct log_text rest = behind_word(t, what);

	return rest.s ? number(rest) : NAN;
}

/* A process id; 0: none. */
static int64_t
pid_at(struct log_text t)
{
	double pid = number(t);

	return pid >= 1 && pid <= INT32_MAX ? (int64_t)pid : 0;
}

/* The text between the first pair of quotes. */
static struct log_text
quoted(struct log_text t)
{
	struct log_text in = behind_word(t, "\"");
	size_t n = in.s ? find(in, "\"") : 0;

	return in.s && n < in.len ? (struct log_text){ in.s, n } : (struct log_text){ NULL, 0 };
}

static bool
state_is(const struct log_entry *e, const char *code)
{
	return e->sqlstate.len == 5 && memcmp(e->sqlstate.s, code, strlen(code)) == 0;
}

/* ------------------------------------------------------------------ kinds */

static void
add_party(struct log_entry *e, int64_t pid)
{
	for (int i = 0; i < e->nparties; i++)
		if (e->parties[i] == pid)
			return;
	if (pid > 0 && e->nparties < LOG_PARTIES_MAX)
		e->parties[e->nparties++] = pid;
}

/* Numbers that stand behind a word: "Process 12 waits for …; blocked by process 34." */
static void
parties_behind(struct log_entry *e, struct log_text t, const char *word)
{
	for (struct log_text rest = behind_word(t, word); rest.s; rest = behind_word(rest, word))
		add_party(e, pid_at(rest));
}

/* "34, 56, 78." */
static void
parties_list(struct log_entry *e, struct log_text t)
{
	while (t.s && t.len > 0 && *t.s >= '0' && *t.s <= '9') {
		add_party(e, pid_at(t));
		while (t.len > 0 && *t.s >= '0' && *t.s <= '9')
			t = behind(t, 1);
		t = behind(t, begins(t, ", ") ? 2 : t.len);
	}
}

/*
 * The processes of a deadlock, in the order of the report. In every language a line is one process:
 * its number is the first one in it, and the number of who blocks it the last one.
 */
static void
deadlock_parties(struct log_entry *e)
{
	parties_behind(e, e->detail, "Process ");
	parties_behind(e, e->detail, "process ");
	if (e->nparties == 0 && e->detail.s)
		for (struct log_text line = e->detail; line.len > 0;) {
			size_t n = find(line, "\n"), i = 0;
			while (i < n && (line.s[i] < '0' || line.s[i] > '9'))
				i++;
			if (i < n)
				add_party(e, pid_at(behind(line, i)));
			line = behind(line, n + 1);
		}
	add_party(e, e->pid);
}

/* "process 12 still waiting for ShareLock on transaction 757 after 1000.1 ms" */
static bool
is_lock_wait(struct log_entry *e)
{
	struct log_text m = e->message, object;
	size_t n;

	if (!begins(m, "process "))
		return false;
	if (!contains(m, " still waiting for ") && !contains(m, " acquired ") &&
	    !contains(m, " detected deadlock while waiting for ") &&
	    !contains(m, " avoided deadlock for ") && !contains(m, " failed to acquire "))
		return false;
	e->duration_ms = number_behind(m, " after ");
	object = behind_word(m, " on ");
	n = object.s ? find(object, " after ") : 0;
	if (object.s && n < object.len)
		e->object = (struct log_text){ object.s, n };
	add_party(e, pid_at(behind(m, strlen("process "))));
	parties_list(e, behind_word(e->detail, "holding the lock: "));
	parties_list(e, behind_word(e->detail, "Wait queue: "));
	e->kind = LOGKIND_LOCK_WAIT;
	return true;
}

/* Behind "duration: 12.3 ms  ": "statement: …", "execute name: …", "plan:\n…". */
static bool
is_duration(struct log_entry *e)
{
	size_t n = logwords_duration(e->message.s, e->message.len);
	struct log_text rest;

	if (n == 0)
		return false;
	rest = behind(e->message, n);
	e->duration_ms = number(rest);
	e->kind = LOGKIND_SLOW;
	n = find(rest, "plan:");
	if (n < 32 && n < rest.len) {
		e->kind = LOGKIND_PLAN;
		return true;
	}
	n = find(rest, ": ");
	if (n < rest.len && n < 160 && !e->statement.s)
		e->statement = behind(rest, n + 2);
	return true;
}

static bool
is_statement(struct log_entry *e)
{
	struct log_text m = e->message;
	size_t n;

	if (!begins(m, "statement: ") && !begins(m, "execute ") && !begins(m, "parse ") &&
	    !begins(m, "bind "))
		return false;
	n = find(m, ": ");
	if (n == m.len)
		return false;
	if (!e->statement.s)
		e->statement = behind(m, n + 2);
	e->kind = LOGKIND_STATEMENT;
	return true;
}

static bool
is_checkpoint(struct log_entry *e)
{
	struct log_text m = e->message;
	double s;

	if (!begins(m, "checkpoint ") && !begins(m, "restartpoint ") &&
	    !begins(m, "checkpoints are occurring too frequently"))
		return false;
	s = number_behind(m, "total=");
	if (!isnan(s))
		e->duration_ms = s * 1000;
	e->kind = LOGKIND_CHECKPOINT;
	return true;
}

static bool
is_autovacuum(struct log_entry *e)
{
	struct log_text m = e->message;
	double s;

	if (begins(m, "automatic analyze of "))
		e->kind = LOGKIND_AUTOANALYZE;
	else if (begins(m, "automatic ") && contains(m, "vacuum of table "))
		e->kind = LOGKIND_AUTOVACUUM;
	else
		return false;
	e->object = quoted(m);
	s = number_behind(m, "elapsed: ");
	if (!isnan(s))
		e->duration_ms = s * 1000;
	return true;
}

static bool
is_temp_file(struct log_entry *e)
{
	double n;

	if (!begins(e->message, "temporary file: path "))
		return false;
	e->object = quoted(e->message);
	n = number_behind(e->message, "\", size ");
	if (!isnan(n) && n < 9e18)
		e->bytes = (int64_t)n;
	e->kind = LOGKIND_TEMP_FILE;
	return true;
}

/* "disconnection: session time: 0:00:01.005 user=…" */
static bool
is_disconnect(struct log_entry *e)
{
	struct log_text time;
	double hours, minutes, seconds;

	if (!begins(e->message, "disconnection: session time: "))
		return false;
	e->kind = LOGKIND_DISCONNECT;
	time = behind_word(e->message, "time: ");
	hours = number(time);
	time = behind_word(time, ":");
	minutes = time.s ? number(time) : NAN;
	time = time.s ? behind_word(time, ":") : time;
	seconds = time.s ? number(time) : NAN;
	if (!isnan(hours + minutes + seconds))
		e->duration_ms = ((hours * 60 + minutes) * 60 + seconds) * 1000;
	return true;
}

static bool
kind_by_state(struct log_entry *e)
{
	static const struct {
		const char *state;
		enum log_kind kind;
	} states[] = {
		{ "40P01", LOGKIND_DEADLOCK },
		{ "57014", LOGKIND_CANCEL },    /* query_canceled: by a user or a timeout */
		{ "57P01", LOGKIND_CANCEL },    /* admin_shutdown: pg_terminate_backend too */
		{ "57P05", LOGKIND_CANCEL },    /* idle_session_timeout */
		{ "25P03", LOGKIND_CANCEL },    /* idle_in_transaction_session_timeout */
		{ "25P04", LOGKIND_CANCEL },    /* transaction_timeout */
		{ "55P03", LOGKIND_LOCK_WAIT }, /* lock_not_available: lock_timeout, NOWAIT */
		{ "57P02", LOGKIND_CRASH },     /* crash_shutdown */
		{ "28", LOGKIND_AUTH }, { "53300", LOGKIND_AUTH }, /* too_many_connections */
		{ "3D000", LOGKIND_AUTH },                         /* no such database */
	};

	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		if (state_is(e, states[i].state)) {
			e->kind = states[i].kind;
			return true;
		}
	return false;
}

/* clang-format off */
/* English beginnings of messages; one that begins with '*' may stand anywhere in its first line.
 * The first that fits decides. */
static const struct {
	const char *text;
	enum log_kind kind;
} phrases[] = {
	{ "canceling ", LOGKIND_CANCEL },
	{ "terminating connection due to ", LOGKIND_CANCEL },
	{ "terminating connection because of crash", LOGKIND_CRASH },
	{ "terminating walsender process due to", LOGKIND_REPLICATION },
	{ "terminating walreceiver", LOGKIND_REPLICATION },
	{ "terminating logical replication", LOGKIND_REPLICATION },
	{ "*authentication failed", LOGKIND_AUTH },
	{ "no pg_hba.conf entry", LOGKIND_AUTH },
	{ "pg_hba.conf rejects", LOGKIND_AUTH },
	{ "sorry, too many clients", LOGKIND_AUTH },
	{ "too many connections for ", LOGKIND_AUTH },
	{ "remaining connection slots", LOGKIND_AUTH },
	{ "connection received: ", LOGKIND_CONNECT },
	{ "connection authenticated: ", LOGKIND_CONNECT },
	{ "connection authorized: ", LOGKIND_CONNECT },
	{ "connection ready: ", LOGKIND_CONNECT },
	{ "replication connection authorized: ", LOGKIND_CONNECT },
	{ "server process (PID ", LOGKIND_CRASH },
	{ "terminating any other active server processes", LOGKIND_CRASH },
	{ "all server processes terminated", LOGKIND_CRASH },
	{ "* was terminated by signal ", LOGKIND_CRASH },
	{ "archive command ", LOGKIND_ARCHIVE },
	{ "archiving write-ahead log file ", LOGKIND_ARCHIVE },
	{ "archived write-ahead log file ", LOGKIND_ARCHIVE },
	{ "archiver process ", LOGKIND_ARCHIVE },
	{ "received SIGHUP, reloading", LOGKIND_SETTINGS },
	{ "parameter \"", LOGKIND_SETTINGS },
	{ "configuration file \"", LOGKIND_SETTINGS },
	{ "started streaming WAL", LOGKIND_REPLICATION },
	{ "replication terminated by primary", LOGKIND_REPLICATION },
	{ "could not receive data from WAL stream", LOGKIND_REPLICATION },
	{ "could not connect to the primary", LOGKIND_REPLICATION },
	{ "standby \"", LOGKIND_REPLICATION },
	{ "requested WAL segment ", LOGKIND_REPLICATION },
	{ "requested starting point ", LOGKIND_REPLICATION },
	{ "starting logical decoding", LOGKIND_REPLICATION },
	{ "logical decoding ", LOGKIND_REPLICATION },
	{ "logical replication ", LOGKIND_REPLICATION },
	{ "fetching timeline history file", LOGKIND_REPLICATION },
	{ "primary server contains no more WAL", LOGKIND_REPLICATION },
	{ "waiting for WAL to become available", LOGKIND_REPLICATION },
	{ "recovery still waiting after ", LOGKIND_REPLICATION },
	{ "recovery finished waiting after ", LOGKIND_REPLICATION },
	{ "*replication slot", LOGKIND_REPLICATION },
	{ "invalid record length", LOGKIND_SERVER },
	{ "starting PostgreSQL", LOGKIND_SERVER },
	{ "listening on ", LOGKIND_SERVER },
	{ "ending log output to ", LOGKIND_SERVER },
	{ "redirecting log output to ", LOGKIND_SERVER },
	{ "database system ", LOGKIND_SERVER },
	{ "shutting down", LOGKIND_SERVER },
	{ "received fast shutdown", LOGKIND_SERVER },
	{ "received smart shutdown", LOGKIND_SERVER },
	{ "received immediate shutdown", LOGKIND_SERVER },
	{ "received promote request", LOGKIND_SERVER },
	{ "aborting any active transactions", LOGKIND_SERVER },
	{ "background worker \"", LOGKIND_SERVER },
	{ "redo ", LOGKIND_SERVER },
	{ "entering standby mode", LOGKIND_SERVER },
	{ "consistent recovery state reached", LOGKIND_SERVER },
	{ "starting point-in-time recovery", LOGKIND_SERVER },
	{ "starting archive recovery", LOGKIND_SERVER },
	{ "restored log file ", LOGKIND_SERVER },
	{ "recovery stopping ", LOGKIND_SERVER },
	{ "last completed transaction was ", LOGKIND_SERVER },
	{ "selected new timeline ID", LOGKIND_SERVER },
	{ "archive recovery complete", LOGKIND_SERVER },
	{ "autovacuum launcher ", LOGKIND_SERVER },
};
/* clang-format on */

static bool
kind_by_phrase(struct log_entry *e)
{
	struct log_text line = { e->message.s, find(e->message, "\n") };

	for (size_t i = 0; i < ARRAY_LEN(phrases); i++) {
		const char *text = phrases[i].text;

		if (*text == '*' ? contains(line, text + 1) : begins(line, text)) {
			e->kind = phrases[i].kind;
			return true;
		}
	}
	return false;
}

static bool
kind_by_process(struct log_entry *e)
{
	static const char *const processes[] = { "walsender", "walreceiver",
		"logical replication" };

	for (size_t i = 0; i < ARRAY_LEN(processes); i++)
		if (begins(e->backend_type, processes[i])) {
			e->kind = LOGKIND_REPLICATION;
			return true;
		}
	return false;
}

void
logkind_classify(struct log_entry *e)
{
	e->duration_ms = NAN;
	e->bytes = -1;
	e->object = (struct log_text){ NULL, 0 };
	e->nparties = 0;
	e->kind = LOGKIND_OTHER;
	/* successful_completion says nothing, and jsonlog leaves it out. */
	if (state_is(e, "00000"))
		e->sqlstate = (struct log_text){ NULL, 0 };
	if (e->severity == LOGSEV_NONE) {
		e->kind = LOGKIND_OUTPUT;
		return;
	}
	if (state_is(e, "40P01") || logwords_is_deadlock(e->message.s, e->message.len)) {
		e->kind = LOGKIND_DEADLOCK;
		deadlock_parties(e);
		return;
	}
	if (e->severity == LOGSEV_LOG &&
	    (is_duration(e) || is_statement(e) || is_lock_wait(e) || is_checkpoint(e) ||
	        is_autovacuum(e) || is_temp_file(e) || is_disconnect(e)))
		return;
	if (e->severity >= LOGSEV_WARNING && kind_by_state(e))
		return;
	if (kind_by_phrase(e) || (e->severity == LOGSEV_LOG && kind_by_process(e)))
		return;
	if (e->severity >= LOGSEV_ERROR)
		e->kind = LOGKIND_ERROR;
	else if (e->severity == LOGSEV_WARNING)
		e->kind = LOGKIND_WARNING;
}
