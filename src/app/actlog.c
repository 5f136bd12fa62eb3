#include "config.h"

#include "app/actlog.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "ops/approval.h"
#include "store/jobs.h"

extern char **environ;

enum { LOCKED_WITHIN_US = 5000000 };

static char program[4096]; /* set once by main(), then const */

void
program_path_set(const char *argv0)
{
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);

	if (n > 0)
		program[n] = '\0';
	else
		snprintf(program, sizeof(program), "%s", argv0);
}

const char *
program_path(void)
{
	return program;
}

const char *
actlog_os_user(void)
{
	static char name[64]; /* main thread */
	const struct passwd *pw = getpwuid(geteuid());

	snprintf(name, sizeof(name), "%s", pw ? pw->pw_name : "?");
	return name;
}

static const char *
doc_as_text(const struct doc *doc, struct strbuf *sb)
{
	for (int i = 0; i < doc->n; i++)
		strbuf_addf(sb, "%s\n", doc->lines[i].text);
	return sb->buf;
}

/* What is approved: who it is about, what was typed, and what exactly goes. */
static void
hash_of(const struct act *act, const struct target *target, const struct act_server *server,
    const char *takes, char hash[static DIGEST_HEX])
{
	struct strbuf all = STRBUF_INIT(1 << 21);

	strbuf_addf(&all, "act\n%s\n%s\n%lld\n%s", act_line(act), target->name,
	    (long long)server->system_identifier, takes);
	digest_sha256_hex(all.buf, all.len, hash);
	strbuf_release(&all);
}

/* The two-person rule: how it was confirmed, and by whom it was approved. NULL: it was not. */
static const char *
approved_how(const struct act *act, const struct target *target, const struct act_server *server,
    const char *text, struct arena *arena, struct error *err)
{
	const char *takes = target->approvals ? act_takes(act, arena) : NULL, *by;
	char hash[DIGEST_HEX];
	struct approval_plan ask = {
		.hash = hash, .target = target->name, .line = act_line(act), .text = text
	};

	if (!takes)
		return act_confirmed_how(act);
	hash_of(act, target, server, takes, hash);
	if (!approval_given(target->approvals, &ask, arena, &by, err))
		return NULL;
	/* Before it is begun: what is cut off here is asked for again. */
	approval_used(target->approvals, hash);
	return arena_printf(arena, "%s, approved by %s", act_confirmed_how(act), by);
}

static bool
insert(struct journal *j, const struct act *act, const struct target *target,
    const struct act_server *server, enum journal_state state, int pid, int64_t *id,
    struct error *err)
{
	struct strbuf plan = STRBUF_INIT(64 << 10);
	struct arena arena = { 0 };
	struct journal_act row = {
		.os_user = actlog_os_user(),
		.target = target->name,
		.host = server->host,
		.port = server->port,
		.database = server->database,
		.role = server->role,
		.system_identifier = server->system_identifier,
		.command = act_line(act),
		.plan = doc_as_text(act_doc(act), &plan),
		.risk = act_worst_risk(act),
		.state = state,
		.pid = pid,
	};
	bool ok;

	row.confirmed_how = approved_how(act, target, server, row.plan, &arena, err);
	ok = row.confirmed_how && journal_begin(j, &row, err);
	*id = row.id;
	arena_release(&arena);
	strbuf_release(&plan);
	return ok;
}

bool
actlog_begin(struct actlog *log, const struct act *act, const struct target *target,
    const struct act_server *server, struct error *err)
{
	*log = (struct actlog){ .lock_fd = -1 };
	log->journal = journal_open(err);
	if (!log->journal)
		return false;
	if (insert(
	        log->journal, act, target, server, JOURNAL_RUNNING, (int)getpid(), &log->id, err)) {
		log->lock_fd = journal_lock_take(log->id, err);
		if (log->lock_fd >= 0)
			return true;
	}
	journal_close(log->journal);
	log->journal = NULL;
	return false;
}

static enum journal_state
state_of(const struct act *act)
{
	const char *line;
	const struct error *error;

	switch (act_result(act, &line, &error)) {
	case ACT_DONE:
	case ACT_STARTED:
		return JOURNAL_DONE;
	case ACT_PARTLY:
	case ACT_ENDING:
		return JOURNAL_PARTLY;
	case ACT_FAILED:
		return JOURNAL_FAILED;
	case ACT_REFUSED:
		return JOURNAL_REFUSED;
	}
	return JOURNAL_FAILED;
}

void
actlog_end(struct actlog *log, const struct act *act)
{
	struct strbuf detail = STRBUF_INIT(64 << 10);
	struct error err = { 0 };
	const struct error *error;
	const char *line;

	if (!log->journal)
		return;
	act_result(act, &line, &error);
	strbuf_addf(&detail, "%s\n", line);
	if (act_result_doc(act)->n > 1)
		doc_as_text(act_result_doc(act), &detail);
	if (!journal_update(log->journal, log->id, state_of(act), detail.buf, 0, &err))
		log_error("journal", "act %lld: %s", (long long)log->id, err.what);
	strbuf_release(&detail);
	journal_lock_drop(log->id, log->lock_fd);
	journal_close(log->journal);
	log->journal = NULL;
}

/* ------------------------------------------------------------------ jobs */

static void
add_member(struct strbuf *sb, bool *first, const char *key, const char *value)
{
	if (!value)
		return;
	json_key(sb, first, key);
	json_str(sb, value, strlen(value));
}

static void
add_job(struct strbuf *sb, bool *first, const struct act_job *job)
{
	if (!job)
		return;
	add_member(sb, first, "kind", job->kind);
	add_member(sb, first, "schema", job->schema);
	add_member(sb, first, "name", job->name);
	add_member(sb, first, "table", job->table);
	add_member(sb, first, "relid", job->relid);
	add_member(sb, first, "tail", job->tail);
	add_member(sb, first, "unique", job->is_unique ? "true" : "false");
	add_member(sb, first, "parts", job->has_parts ? "true" : NULL);
	add_member(sb, first, "force", job->force ? "true" : NULL);
	add_member(sb, first, "queryids", job->queryids);
	add_member(sb, first, "undo", job->undo);
}

bool
job_spawn(int64_t id, int lock_fd, const char *request, size_t len, struct error *err)
{
	char number[32];
	const char *argv[] = { "pgmedic", "run", "--job", number, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int fds[2], status, rc;
	pid_t pid;
	bool ok;

	snprintf(number, sizeof(number), "%lld", (long long)id);
	if (pipe2(fds, O_CLOEXEC) != 0)
		return error_set(err, ERR_STATE, "cannot make a pipe: %s", strerror(errno));
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fds[0], 0);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	if (lock_fd >= 0)
		posix_spawn_file_actions_adddup2(&actions, lock_fd, JOB_LOCK_FD);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID);
	rc = posix_spawn(&pid, program, &actions, &attr, (char *const *)(uintptr_t)argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	close(fds[0]);
	if (rc != 0) {
		close(fds[1]);
		return error_set(err, ERR_PROGRAM, "cannot start a job process: %s", strerror(rc));
	}
	/* Smaller than a pipe's buffer, so this does not wait. */
	ok = write(fds[1], request, len) == (ssize_t)len;
	close(fds[1]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return ok ||
	    error_set(err, ERR_STATE, "cannot hand the job its request: %s", strerror(errno));
}

void
job_lock_handed(int64_t id, int fd, bool is_handed)
{
	if (is_handed && fd >= 0)
		close(fd);
	else
		journal_lock_drop(id, fd);
}

int64_t
job_start(const struct act *act, const struct target *target, const struct act_server *server,
    struct error *err)
{
	struct strbuf request = STRBUF_INIT(32 << 10);
	struct journal *j = journal_open(err);
	struct error ignored = { 0 };
	bool first = true;
	int64_t id = 0;
	int lock = -1;
	bool ok;

	if (!j)
		return 0;
	ok = insert(j, act, target, server, JOURNAL_PLANNED, 0, &id, err);
	if (ok) {
		lock = journal_lock_take(id, err);
		ok = lock >= 0;
	}
	if (ok) {
		strbuf_addc(&request, '{');
		add_member(&request, &first, "conninfo", target->conninfo);
		add_member(&request, &first, "password", target->password);
		add_member(
		    &request, &first, "database", *server->database ? server->database : NULL);
		add_member(&request, &first, "statement", act_statement(act));
		add_member(&request, &first, "target", target->name);
		add_job(&request, &first, act_job(act));
		strbuf_addc(&request, '}');
		ok = job_spawn(id, lock, request.buf, request.len, err);
	}
	if (id && !ok && !journal_update(j, id, JOURNAL_FAILED, err->what, 0, &ignored))
		log_error("journal", "job %lld: %s", (long long)id, ignored.what);
	job_lock_handed(id, lock, ok);
	explicit_bzero(request.buf, request.len);
	strbuf_release(&request);
	journal_close(j);
	return ok ? id : 0;
}

/* An act that was just confirmed; a job of steps has its lock from its first line. */
static bool
takes_lock_soon(struct journal *j, const struct journal_act *a)
{
	int64_t age = wall_now().us - a->started_at.us;
	struct arena arena = { 0 };
	struct error ignored = { 0 };
	struct job_row row;
	bool is_soon =
	    age >= 0 && age < LOCKED_WITHIN_US && !jobs_get(j, a->id, &arena, &row, &ignored);

	arena_release(&arena);
	return is_soon;
}

void
jobs_mark_lost(struct journal *j)
{
	struct arena arena = { 0 };
	struct journal_act *acts;
	struct error err = { 0 };
	int n;

	if (journal_list(j, 1000, true, &arena, &acts, &n, &err)) {
		for (int i = 0; i < n; i++) {
			if (journal_lock_held(acts[i].id) || takes_lock_soon(j, &acts[i]))
				continue;
			if (!journal_lost(j, acts[i].id, &err))
				log_error(
				    "journal", "act %lld: %s", (long long)acts[i].id, err.what);
		}
	}
	arena_release(&arena);
}
