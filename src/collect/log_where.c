/*
 * Where a server's log is, and by which way it is read. On this machine: the newest file of the
 * collector, or what the server's standard error is, or what the target names. Else through SQL,
 * where the role may read files of the log directory.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cell.h"
#include "collect/log_tail_priv.h"
#include "collect/target.h"

static void
copy_text(char *to, size_t size, const struct rowset *rows, const char *column)
{
	const struct cell *c = rows->nrows ? rowset_get(rows, 0, column) : NULL;

	to[0] = '\0';
	if (c && c->type == CELL_TEXT)
		snprintf(to, size, "%.*s", (int)c->len, c->s);
}

static void
take_zone(struct log_tail *l, const struct rowset *rows)
{
	copy_text(l->zone.names[0].abbrev, sizeof(l->zone.names[0].abbrev), rows, "zone");
	copy_text(l->zone.names[1].abbrev, sizeof(l->zone.names[1].abbrev), rows, "zone_before");
	l->zone.names[0].seconds = (int)cell_i64(rowset_get(rows, 0, "zone_s"), 0);
	l->zone.names[1].seconds = (int)cell_i64(rowset_get(rows, 0, "zone_before_s"), 0);
}

/* The newest file of each format that log_destination names. */
static void
take_current(struct log_tail *l, const struct rowset *rows)
{
	char destination[256], folder[PATH_BYTES / 2];

	copy_text(destination, sizeof(destination), rows, "destination");
	copy_text(folder, sizeof(folder), rows, "log_directory");
	memset(l->current, 0, sizeof(l->current));
	for (int i = 0; i < 3; i++) {
		const struct log_file *newest = strstr(destination, log_format_names[i]) ?
		    log_files_newest(&l->files, (enum log_format)i) :
		    NULL;
		if (newest)
			snprintf(
			    l->current[i], sizeof(l->current[i]), "%s/%s", folder, newest->name);
	}
}

/* json and csv tell most; the collector writes all of those that log_destination names. */
static bool
choose_format(struct log_tail *l)
{
	static const enum log_format best[] = { LOGFORMAT_JSON, LOGFORMAT_CSV, LOGFORMAT_STDERR };

	for (size_t i = 0; i < ARRAY_LEN(best); i++)
		if (l->current[best[i]][0]) {
			log_tail_format(l, best[i]);
			return true;
		}
	return false;
}

/* The process that forked a backend, from "pid (comm) S ppid …". */
static int
parent_of(int pid)
{
	char path[64], buf[512];
	const char *rest;
	size_t n = 0;
	int parent = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (f)
		n = fread(buf, 1, sizeof(buf) - 1, f);
	if (f)
		fclose(f);
	buf[n] = '\0';
	rest = strrchr(buf, ')');
	return rest && sscanf(rest + 1, " %*c %d", &parent) == 1 ? parent : 0;
}

/* Is the server of this data directory the one that serves us? Behind a tunnel it may be another
 * one of the same path. */
static bool
is_our_server(const struct log_tail *l, int own_pid)
{
	char path[PATH_BYTES + 32];
	int pid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/postmaster.pid", l->data_directory);
	f = fopen(path, "re");
	if (!f)
		return errno == EACCES; /* the log itself may be readable all the same */
	if (fscanf(f, "%d", &pid) != 1)
		pid = 0;
	fclose(f);
	return pid > 0 && pid == parent_of(own_pid);
}

/* Without the collector the server writes to what it was started with: a file, often. */
static bool
find_stderr(int own_pid, char *path, size_t size)
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/fd/2", parent_of(own_pid));
	n = readlink(link, path, size - 1);
	path[n > 0 ? n : 0] = '\0';
	return path[0] == '/' && strncmp(path, "/dev/", 5) != 0;
}

static bool
follow_path(struct log_tail *l, const char *path)
{
	enum log_format format = log_file_format(path);

	log_tail_format(l, format);
	if (strcmp(path, l->current[format]) != 0)
		log_tail_close(l);
	memset(l->current, 0, sizeof(l->current));
	l->is_path = true;
	l->files.n = 0;
	snprintf(l->current[format], sizeof(l->current[format]), "%s", path);
	return l->fd >= 0 || log_tail_open(l, path);
}

static enum log_via
away(struct log_tail *l, enum log_via via)
{
	log_tail_close(l);
	return l->via = via;
}

/* The file that the target names. */
static enum log_via
named_file(struct log_tail *l, struct error *why)
{
	if (follow_path(l, l->conf_file))
		return l->via = LOG_FILE;
	if (path_is_remote(l->conf_file))
		error_set(why, ERR_REFUSED,
		    "%s lies on a file system of another machine: it may hang", l->conf_file);
	else
		error_set(why, errno == EACCES ? ERR_DENIED : ERR_NOT_FOUND, "cannot read %s: %s",
		    l->conf_file, strerror(errno));
	error_hint(why, "%s", "It is log_file of the target's section.");
	return away(l, LOG_AWAY);
}

enum log_via
log_tail_no_source(struct log_tail *l, struct error *why)
{
	return l->conf_file ? named_file(l, why) : away(l, LOG_AWAY);
}

static enum log_via
no_collector(struct log_tail *l, const struct rowset *rows, const struct server_info *server,
    struct error *why)
{
	char destination[128], path[PATH_BYTES] = "";
	bool is_syslog, is_piped;

	copy_text(destination, sizeof(destination), rows, "destination");
	if (server->is_local && strstr(destination, "stderr") &&
	    find_stderr(server->own_pid, path, sizeof(path)) && follow_path(l, path))
		return l->via = LOG_FILE;
	is_syslog = strstr(destination, "syslog") != NULL;
	/* systemd gives its services a socket of the journal. */
	is_piped = strncmp(path, "socket:", 7) == 0 || strncmp(path, "pipe:", 5) == 0;
	error_set(why, ERR_UNSUPPORTED, "the server does not keep its log in files of its own (%s)",
	    is_syslog        ? "it goes to syslog" :
	        is_piped     ? "its stderr goes to another program, as systemd's journal" :
	        *path == '/' ? "its stderr goes nowhere that can be read" :
	                       "logging_collector is off");
	if (is_syslog || is_piped)
		error_hint(why,
		    "journalctl%s shows it. For this pane: log_file = PATH in the target's section, if it is "
		    "written to a file, or set %slogging_collector = on (needs a restart).",
		    is_syslog ? " -t postgres" : "",
		    is_syslog ? "log_destination = 'stderr,syslog' and " : "");
	else
		error_hint(why,
		    "Where it is a file on this machine, name it: log_file = PATH in the section of the target. "
		    "Else set logging_collector = on (needs a restart).");
	return away(l, LOG_AWAY);
}

static enum log_via
choose_via(struct log_tail *l, const struct rowset *rows, const struct server_info *server,
    struct error *why)
{
	if (server->is_local && is_our_server(l, server->own_pid)) {
		if (l->via == LOG_FILE && l->fd >= 0 && !l->is_path)
			return LOG_FILE;
		if (log_tail_open(l, l->current[l->format])) {
			l->is_path = false;
			l->file[0] = '\0';
			return l->via = LOG_FILE;
		}
	}
	if (cell_i64(rowset_get(rows, 0, "may_read"), 0)) {
		const struct log_file *f = log_files_find(&l->files, log_file_base(l->file));
		if (l->via != LOG_SQL)
			log_tail_close(l);
		/* What has been read so far was there before this list was made. */
		else if (l->is_started && f && f->bytes < l->offset)
			log_tail_truncated(l);
		return l->via = LOG_SQL;
	}
	error_set(
	    why, ERR_DENIED, "this role may not read the server's log (%s)", l->current[l->format]);
	if (server->is_rds || server->is_aurora)
		error_hint(why,
		    "On RDS it comes through the API: set provider = rds and instance = NAME in the section of the target.");
	else
		error_hint(why,
		    "GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_binary_file(text,bigint,bigint,boolean) TO %.63s "
		    "in database %.63s, or run pgmedic where the log is.",
		    server->user, server->database);
	return away(l, LOG_AWAY);
}

enum log_via
log_tail_source(struct log_tail *l, const struct sample *source, const struct server_info *server,
    struct error *why)
{
	const struct rowset *rows = source->rows;
	char identity[sizeof(l->identity)], prefix[sizeof(l->prefix)];

	if (rows->nrows == 0) {
		error_set(why, ERR_PROTOCOL, "the server said nothing of its log");
		return away(l, LOG_AWAY);
	}
	copy_text(l->data_directory, sizeof(l->data_directory), rows, "data_directory");
	snprintf(identity, sizeof(identity), "%s:%s %" PRId64 " %.255s", server->host, server->port,
	    server->system_identifier, l->data_directory);
	copy_text(prefix, sizeof(prefix), rows, "prefix");
	if (strcmp(identity, l->identity) != 0) {
		log_tail_close(l);
		l->via = LOG_UNKNOWN;
		snprintf(l->identity, sizeof(l->identity), "%s", identity);
	}
	take_zone(l, rows);
	if (!l->has_prefix || strcmp(prefix, l->prefix) != 0) {
		snprintf(l->prefix, sizeof(l->prefix), "%s", prefix);
		l->has_prefix = true;
		log_parser_set(l->parser, l->prefix, &l->zone);
	}
	if (l->conf_file)
		return named_file(l, why);
	if (!cell_i64(rowset_get(rows, 0, "is_collecting"), 0))
		return no_collector(l, rows, server, why);
	log_files_take(&l->files, rows);
	take_current(l, rows);
	if (!choose_format(l)) {
		error_set(why, ERR_UNSUPPORTED, "the server's collector writes no log file now");
		error_hint(why, "%s", "log_destination says where the log goes.");
		return away(l, LOG_AWAY);
	}
	return choose_via(l, rows, server, why);
}
