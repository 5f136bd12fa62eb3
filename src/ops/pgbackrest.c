#include "config.h"

#include "ops/pgbackrest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/proc.h"
#include "ops/local_tools.h"

enum { MAX_OUTPUT = 16 << 20, INFO_MS = 60000, MAX_ARGS = 48, STOP_MS = 10000 };
/* Of a stanza in `info`: pgbackrest's src/command/info/info.c. */
enum { STANZA_OK = 0, STANZA_NO_PATH = 1, STANZA_NO_BACKUP = 2, STANZA_NO_DATA = 3 };

/* Exit statuses with something to be done about: pgbackrest's src/common/error. */
static const struct {
	int status;
	enum err_code code;
	const char *hint;
} statuses[] = {
	{ 31, ERR_CONFIG, "This version does not have an option that was given." },
	{ 32, ERR_CONFIG, "A value of its configuration is wrong." },
	{ 37, ERR_CONFIG, "Check pgbackrest_config and pgbackrest_stanza of the target." },
	{ 38, ERR_STATE, "A server runs in that directory." },
	{ 39, ERR_STATE, "One of its processes has ended unexpectedly: try again." },
	{ 40, ERR_STATE, "The directory is not empty." },
	{ 41, ERR_FILE, "Run it as the user who owns the cluster and the repository." },
	{ 50, ERR_STATE, "Another pgBackRest is at work: `snapshots` shows it." },
	{ 56, ERR_CONNECT,
	    "pgBackRest cannot reach the server: check pg1-path, pg1-port, pg1-socket-path." },
	{ 62, ERR_STATE, "Somebody ran pgbackrest stop: `pgbackrest start` allows it again." },
	{ 63, ERR_STATE, "It was stopped; a full backup goes on where it was." },
	{ 68, ERR_STATE, "archive_command of the server does not call this stanza." },
	{ 75, ERR_NOT_FOUND, "No backup reaches there: `snapshots` shows the window." },
	{ 82, ERR_STATE,
	    "WAL does not arrive in the repository: look at archive_command and the server's log." },
	{ 87, ERR_STATE, "archive_mode of the server is off." },
	{ 102, ERR_STATE, "One of its processes has ended unexpectedly: try again." },
};

/* What a line says behind "2026-11-21 21:46:48.846 P00 "; the first two are not always there. */
static const char *
said(const char *line)
{
	static const char digits[] = "0123456789-:. ";
	const char *text = line + strspn(line, digits);

	if (*text == 'P' && strspn(text + 1, "0123456789") == 2)
		text += 3;
	return text + strspn(text, " ");
}

const char *
pgbackrest_warning(struct arena *arena, const char *output)
{
	static const char *const harmless[] = { "resumable", "resume", "no prior backup exists",
		"has been changed to full", "option 'repo1-retention",
		/* after a promotion, and where its own file or an option is put right by itself */
		"delta checksum", "backup.info", "cannot alter", "reset to", "resetting",
		"exclude special file" };

	for (const char *line = output; *line;) {
		size_t len = strcspn(line, "\n");
		const char *text = said(line);
		bool is_one = strncmp(text, "WARN:", 5) == 0 || strncmp(text, "ERROR:", 6) == 0;
		char *copy =
		    is_one ? arena_strndup(arena, text, (size_t)(line + len - text)) : NULL;

		for (size_t i = 0; is_one && i < ARRAY_LEN(harmless); i++)
			is_one = !strstr(copy, harmless[i]);
		if (is_one)
			return copy;
		line += len + (line[len] == '\n');
	}
	return NULL;
}

static bool
say_failed(struct op *op, const char *command, int status, const char *output, struct error *err)
{
	const char *line = pgbackrest_warning(&op->arena, output);
	char how[64];

	error_set(err, ERR_PROGRAM, "pgbackrest %s failed: %s%s%s", command,
	    proc_status_text(status, how, sizeof(how)), line ? ": " : "", line ? line : "");
	for (size_t i = 0; WIFEXITED(status) && i < ARRAY_LEN(statuses); i++) {
		if (statuses[i].status != WEXITSTATUS(status))
			continue;
		err->code = statuses[i].code;
		return error_hint(err, "%s", statuses[i].hint);
	}
	/* Planned only, it has no job. */
	return op->job ? error_hint(err, "Its log has more; the last lines are in `job %lld`.",
	                     (long long)op->job) :
	                 error_hint(err, "Its log has more: log-path of its configuration.");
}

bool
pgbackrest_run(
    struct op *op, const char *const *args, int timeout_ms, struct strbuf *out, struct error *err)
{
	const struct op_target *t = op->target;
	const char *argv[MAX_ARGS + 8];
	static const char *const own_env[] = { "PGBACKREST_", NULL };
	/* Asked to stop it ends cleanly (63), and a full backup can go on where it was. */
	struct proc_spec spec = { .argv = argv,
		.env = proc_env(&op->arena, own_env),
		.dir = "/",
		.dies_with_us = true,
		.grace_ms = STOP_MS };
	struct strbuf own = STRBUF_INIT(MAX_OUTPUT);
	struct proc proc;
	int n = 0, status = 0;
	bool ok;

	if (!out)
		out = &own;
	argv[n++] = proc_find(&op->arena, "pgbackrest");
	if (!argv[0]) {
		error_set(err, ERR_PROGRAM, "pgbackrest is not installed on this machine");
		return error_hint(err, "On Debian or Ubuntu: apt-get install pgbackrest");
	}
	if (t->pgbackrest_config && *t->pgbackrest_config)
		argv[n++] = arena_printf(&op->arena, "--config=%s", t->pgbackrest_config);
	if (t->pgbackrest_stanza && *t->pgbackrest_stanza)
		argv[n++] = arena_printf(&op->arena, "--stanza=%s", t->pgbackrest_stanza);
	if (strcmp(args[0], "version") != 0 && strcmp(args[0], "info") != 0 &&
	    strncmp(args[0], "repo-", 5) != 0)
		argv[n++] = "--log-level-console=info";
	argv[n++] = "--log-level-stderr=off";
	for (int i = 0; args[i]; i++) {
		if (i == MAX_ARGS)
			fatal("too many words for pgbackrest");
		argv[n++] = args[i];
	}
	argv[n] = NULL;
	local_become_owner(op, &spec);
	ok = proc_start(&proc, &spec, true, err) &&
	    proc_wait(&proc, timeout_ms, op->stop, out, &status, err);
	if (ok && status != 0)
		ok = say_failed(op, args[0], status, out->buf, err);
	strbuf_release(&own);
	return ok;
}

bool
pgbackrest_version(struct op *op, const char **version, struct error *err)
{
	static const char *const args[] = { "version", NULL };
	struct strbuf out = STRBUF_INIT(4096);
	bool ok = pgbackrest_run(op, args, INFO_MS, &out, err);
	const char *number = strstr(out.buf, "pgBackRest ");

	if (ok && !number)
		ok = error_set(err, ERR_FORMAT, "pgbackrest version says something else");
	if (ok) {
		number += strlen("pgBackRest ");
		*version = arena_strndup(&op->arena, number, strcspn(number, " \n"));
	}
	strbuf_release(&out);
	return ok;
}

/* ------------------------------------------------------------------ info */

static const char *
text_of(const struct json *obj, const char *key)
{
	const char *s = json_text(json_get(obj, key));

	return s ? s : "";
}

static int64_t
int_of(const struct json *obj, const char *key)
{
	double v = 0;

	return json_number(json_get(obj, key), &v) && v > -9e18 && v < 9e18 ? (int64_t)v : 0;
}

static void
read_backup(struct op *op, const struct json *v, struct pgbackrest_backup *b)
{
	const struct json *note = json_get(v, "annotation"), *archive = json_get(v, "archive"),
	                  *lsn = json_get(v, "lsn"), *size = json_get(v, "info"),
	                  *time = json_get(v, "timestamp"), *refs = json_get(v, "reference");

	*b = (struct pgbackrest_backup){
		.label = text_of(v, "label"),
		.type = text_of(v, "type"),
		.prior = text_of(v, "prior"),
		.name = text_of(note, "name"),
		.policy = text_of(note, "policy"),
		.verified = text_of(note, "verified"),
		.job = text_of(note, "job"),
		.start.us = int_of(time, "start") * 1000000,
		.stop.us = int_of(time, "stop") * 1000000,
		.size = int_of(size, "size"),
		.delta = int_of(size, "delta"),
		.repo_size = int_of(json_get(size, "repository"), "delta"),
		.wal_start = text_of(archive, "start"),
		.wal_stop = text_of(archive, "stop"),
		.lsn_start = text_of(lsn, "start"),
		.lsn_stop = text_of(lsn, "stop"),
		.has_error = json_true(json_get(v, "error")),
	};
	b->references =
	    arena_zalloc(&op->arena, (size_t)json_len(refs) + 1, sizeof(*b->references));
	for (const struct json *r = json_child(refs); r; r = json_next(r))
		if (json_text(r))
			b->references[b->nreferences++] = json_text(r);
}

static void
read_stanza(struct op *op, const struct json *v, struct pgbackrest_info *info)
{
	const struct json *status = json_get(v, "status"), *list = json_get(v, "backup"),
	                  *archives = json_get(v, "archive"), *dbs = json_get(v, "db"),
	                  *newest = json_at(archives, json_len(archives) - 1);

	info->stanza = text_of(v, "name");
	info->code = (int)int_of(status, "code");
	info->message = text_of(status, "message");
	info->is_running =
	    json_true(json_get(json_get(json_get(status, "lock"), "backup"), "held"));
	info->pg_major = (int)strtol(text_of(json_at(dbs, json_len(dbs) - 1), "version"), NULL, 10);
	info->wal_id = text_of(newest, "id");
	info->wal_min = text_of(newest, "min");
	info->wal_max = text_of(newest, "max");
	info->backups =
	    arena_zalloc(&op->arena, (size_t)json_len(list) + 1, sizeof(*info->backups));
	for (const struct json *b = json_child(list); b; b = json_next(b))
		read_backup(op, b, &info->backups[info->n++]);
}

/* The last one's digits: a JSON number of its size is not exact. */
static const char *
system_id(struct op *op, const char *text)
{
	static const char key[] = "\"system-id\":";
	const char *at, *last = "";

	for (at = strstr(text, key); at; at = strstr(at + 1, key))
		last = at + sizeof(key) - 1;
	return arena_strndup(&op->arena, last, strspn(last, "0123456789"));
}

void
pgbackrest_info_release(struct pgbackrest_info *info)
{
	json_free(info->root);
	*info = (struct pgbackrest_info){ 0 };
}

/* What is wrong with a stanza; "other" says nothing, what its repositories say does. */
static bool
say_unwell(
    struct op *op, const struct json *stanza, const struct pgbackrest_info *info, struct error *err)
{
	const struct json *repo = json_child(json_get(stanza, "repo"));
	const char *text = info->message;

	for (; repo; repo = json_next(repo)) {
		const struct json *status = json_get(repo, "status");
		const char *said = text_of(status, "message");

		if (!int_of(status, "code") || !*said || strcmp(said, info->message) == 0)
			continue;
		text = arena_printf(&op->arena, "repo%lld: %.*s", (long long)int_of(repo, "key"),
		    (int)strcspn(said, "\n"), said);
		break;
	}
	error_set(err, ERR_STATE, "pgbackrest's stanza %s: %s", info->stanza, text);
	if (info->code == STANZA_NO_PATH || info->code == STANZA_NO_DATA)
		return error_hint(err,
		    "`pgbackrest --stanza=%s stanza-create` makes it; or pgbackrest_stanza and "
		    "pgbackrest_config of [target %s] name another.",
		    info->stanza, op->target->name);
	return error_hint(err, "`pgbackrest --stanza=%s info` and `check` say more.", info->stanza);
}

bool
pgbackrest_info(struct op *op, struct pgbackrest_info *info, struct error *err)
{
	static const char *const args[] = { "info", "--output=json", NULL };
	struct strbuf out = STRBUF_INIT(MAX_OUTPUT);
	const struct json *found = NULL;
	bool ok = pgbackrest_run(op, args, INFO_MS, &out, err);
	const char *text = strchr(out.buf, '[');

	*info = (struct pgbackrest_info){ 0 };
	if (ok) {
		info->root = json_parse(text ? text : "", text ? strlen(text) : 0, err);
		ok = info->root != NULL || error_prefix(err, "pgbackrest info");
	}
	if (ok && json_len(info->root) > 1 && !*op->target->pgbackrest_stanza) {
		ok = error_set(
		    err, ERR_CONFIG, "the repository has %d stanzas", json_len(info->root));
		error_hint(
		    err, "Name one: pgbackrest_stanza = … of [target %s].", op->target->name);
	}
	if (ok) {
		found = json_at(info->root, 0);
		if (!found) {
			ok = error_set(err, ERR_NOT_FOUND, "the repository has no stanza yet");
			error_hint(err, "pgbackrest stanza-create makes it.");
		}
	}
	if (ok) {
		read_stanza(op, found, info);
		info->system_identifier = system_id(op, out.buf);
	}
	if (ok && info->code != STANZA_OK && info->code != STANZA_NO_BACKUP)
		ok = say_unwell(op, found, info, err);
	strbuf_release(&out);
	return ok;
}

const struct pgbackrest_backup *
pgbackrest_find(const struct pgbackrest_info *info, const char *name)
{
	if (info->n && strcmp(name, "latest") == 0)
		return &info->backups[info->n - 1];
	for (int i = info->n - 1; i >= 0; i--)
		if (strcmp(info->backups[i].label, name) == 0 ||
		    strcmp(info->backups[i].name, name) == 0)
			return &info->backups[i];
	return NULL;
}
