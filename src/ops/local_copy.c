#include "config.h"

#include "ops/local_copy.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/fmt.h"
#include "base/json.h"
#include "base/proc.h"
#include "ops/local_tools.h"

enum {
	RESTORE_MS = 24 * 3600 * 1000,
	REMOVE_MS = 3600 * 1000,
	REMOVE_TRIES = 5,    /* a program that was killed may still write a moment */
	SPARE_PERCENT = 120, /* of the database's size has to be free */
};

/* The file that makes a folder ours to remove. */
static const char marker[] = ".pgmedic-copy";

bool
copy_is_name(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");

	return n > 0 && n <= 63 && !s[n] && s[0] != '-' && s[0] != '.';
}

const char *
copy_root(struct op *op, struct error *err)
{
	const char *root = op->target->restore_root;

	if (!root || !*root)
		/* Root's own state folder cannot be entered by the cluster's owner. */
		return geteuid() == 0 ? "/var/tmp/pgmedic-restores" :
		                        path_state(&op->arena, "restores");
	if (root[0] == '/')
		return root;
	error_set(err, ERR_CONFIG, "restore_root of %s is not an absolute path", op->target->name);
	error_hint(err, "It is '%s'; write it from / on.", root);
	return NULL;
}

static const char *
fact(struct op *op, const char *name)
{
	const char *s = op_fact(op, name);

	return s ? s : "";
}

static const char *
below(struct op *op, const char *name)
{
	return arena_printf(&op->arena, "%s/%s", fact(op, "copy.dir"), name);
}

const char *
copy_data(struct op *op)
{
	return below(op, "data");
}

const char *
copy_program(struct op *op, const char *name)
{
	return local_pg_program(op, (int)op_fact_int(op, "copy.major", 0), name);
}

/* ------------------------------------------------------------------ the plan */

bool
copy_free_bytes(struct op *op, const char *root, double *out, struct error *err)
{
	char *at = arena_strdup(&op->arena, root);
	struct statvfs fs;

	while (statvfs(at, &fs) != 0) {
		char *slash = strrchr(at, '/');

		if (errno != ENOENT || !slash || slash == at)
			return error_set(
			    err, ERR_FILE, "cannot look at %s: %s", at, strerror(errno));
		*slash = '\0';
	}
	*out = (double)fs.f_bavail * (double)fs.f_frsize;
	return true;
}

static bool
has_space(struct op *op, const char *root, int64_t bytes, struct error *err)
{
	char free_text[32], need_text[32];
	double free_bytes, need = (double)bytes * SPARE_PERCENT / 100;

	if (!copy_free_bytes(op, root, &free_bytes, err))
		return false;
	fmt_bytes(free_text, sizeof(free_text), free_bytes);
	fmt_bytes(need_text, sizeof(need_text), need);
	doc_pair(&op->doc, "disk", free_bytes < need ? ROLE_WARN : ROLE_NORMAL,
	    "%s free in %s, %s needed", free_text, root, need_text);
	if (free_bytes >= need)
		return true;
	error_set(
	    err, ERR_REFUSED, "%s has %s free, the copy needs %s", root, free_text, need_text);
	return error_hint(
	    err, "Another folder: restore_root = … of [target %s].", op->target->name);
}

bool
copy_plan(struct op *op, const char *name, int major, int64_t bytes, struct error *err)
{
	static const char *const needed[] = { "pg_ctl", "postgres", "pg_controldata" };
	const char *root = copy_root(op, err);
	const char *dir = root ? arena_printf(&op->arena, "%s/%s", root, name) : NULL;
	struct sockaddr_un un;
	struct stat st;

	if (!root)
		return false;
	if (lstat(dir, &st) == 0) {
		error_set(err, ERR_REFUSED, "there is a %s already", dir);
		return error_hint(err, "Choose another name: nothing is made over what is there.");
	}
	if (strlen(dir) + sizeof("/.s.PGSQL.5432.lock") > sizeof(un.sun_path)) {
		error_set(err, ERR_CONFIG, "%s is too long for a socket in it", dir);
		return error_hint(err, "A shorter restore_root of [target %s].", op->target->name);
	}
	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		if (!local_pg_program(op, major, needed[i])) {
			error_set(err, ERR_PROGRAM, "%s of PostgreSQL %d is not on this machine",
			    needed[i], major);
			return error_hint(err, "A copy of a server needs the same major version.");
		}
	return has_space(op, root, bytes, err) && op_fact_set(op, err, "copy.root", "%s", root) &&
	    op_fact_set(op, err, "copy.dir", "%s", dir) &&
	    op_fact_set(op, err, "copy.major", "%d", major);
}

bool
copy_plan_login(struct op *op, const char *user, const char *database, struct error *err)
{
	return op_fact_set(op, err, "copy.user", "%s", *user ? user : "postgres") &&
	    op_fact_set(op, err, "copy.database", "%s", *database ? database : "postgres");
}

/* ------------------------------------------------------------------ the folder */

static bool
leave(struct op *op, const char *kind, const char *what, struct error *err)
{
	struct strbuf args = STRBUF_INIT(PATH_MAX * 2);
	const char *dir = fact(op, "copy.dir"), *root = fact(op, "copy.root");
	struct job_leftover *known;
	bool first = true, ok;
	int64_t id;
	int n;

	if (!jobs_leftovers(op->journal, op->job, &op->arena, &known, &n, err))
		return false;
	for (int i = 0; i < n; i++)
		if (strcmp(known[i].kind, kind) == 0)
			return true;
	strbuf_addc(&args, '{');
	json_key(&args, &first, "dir");
	json_str(&args, dir, strlen(dir));
	json_key(&args, &first, "root");
	json_str(&args, root, strlen(root));
	json_key(&args, &first, "major");
	json_int(&args, op_fact_int(op, "copy.major", 0));
	strbuf_addc(&args, '}');
	ok = op_leave(op, kind, args.buf, &id, err, "%s %s", what, dir);
	strbuf_release(&args);
	return ok;
}

bool
copy_make_root(const char *root, struct error *err)
{
	struct stat st;

	if (stat(root, &st) == 0)
		return S_ISDIR(st.st_mode) || error_set(err, ERR_FILE, "%s is not a folder", root);
	if (!path_make(root, err))
		return false;
	if (geteuid() == 0 && chmod(root, 0711) != 0)
		return error_set(err, ERR_FILE, "cannot open %s: %s", root, strerror(errno));
	return true;
}

static bool
is_ours(struct op *op, const char *dir)
{
	return access(arena_printf(&op->arena, "%s/%s", dir, marker), F_OK) == 0;
}

const char *
copy_mark(struct op *op, const char *dir)
{
	struct error ignored = { 0 };

	return local_read(op, arena_printf(&op->arena, "%s/%s", dir, marker), &ignored);
}

bool
copy_is_finished(struct op *op, const char *dir, struct error *err)
{
	struct journal *j = journal_open(err);
	struct job_leftover *left = NULL;
	int n = 0;
	bool ok = j && jobs_leftovers(j, 0, &op->arena, &left, &n, err);

	for (int i = 0; ok && i < n; i++) {
		struct error ignored = { 0 };
		struct json *args = json_parse(left[i].args, strlen(left[i].args), &ignored);
		const char *of = json_text(json_get(args, "dir"));

		if (of && strcmp(of, dir) == 0 && left[i].job != op->job) {
			ok = error_set(err, ERR_REFUSED, "job %lld has not ended with %s",
			    (long long)left[i].job, dir);
			error_hint(err, "`job undo %lld` removes it.", (long long)left[i].job);
		}
		json_free(args);
	}
	journal_close(j);
	return ok;
}

bool
copy_is_same(struct op *op, struct error *err)
{
	const char *dir = op_fact(op, "copy.dir"), *mark;
	struct stat st;

	if (lstat(dir, &st) != 0 && errno == ENOENT)
		return true;
	mark = copy_mark(op, dir);
	if ((int64_t)st.st_ino != op_fact_int(op, "goes", 0) ||
	    (mark &&
	        (strncmp(mark, op_fact(op, "mark"), strcspn(mark, "\n")) != 0 ||
	            strlen(op_fact(op, "mark")) != strcspn(mark, "\n")))) {
		error_set(err, ERR_CHANGED, "%s is another one than was planned for", dir);
		return error_hint(err, "Give the command again.");
	}
	return copy_is_finished(op, dir, err);
}

/* Nothing but the mark is left in it. */
static bool
is_alone(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	bool alone = d != NULL;

	while (d && alone && (e = readdir(d)))
		alone = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
		    strncmp(e->d_name, marker, strlen(marker)) == 0;
	if (d)
		closedir(d);
	return alone;
}

static bool
end_one(const struct proc_info *info, void *arg)
{
	const char *dir = arg;
	char cwd[PATH_MAX];

	if (proc_is_program(info->pid, "pg_basebackup") && proc_cwd(info->pid, cwd, sizeof(cwd)) &&
	    strcmp(cwd, dir) == 0)
		kill(info->pid, SIGKILL);
	return true;
}

/* What copied into it dies with the process that started it, but not its child, which receives WAL
 * and would hold the slot for ever. Both work in the folder, by which they are found. */
static void
end_copying(const char *dir)
{
	char real[PATH_MAX];

	if (realpath(dir, real))
		proc_each(end_one, real);
}

/*
 * Remove a copy's folder: only root/NAME with our marker in it (or empty: we died before the
 * marker). As the owner, who cannot remove more than what is his.
 */
static bool
remove_folder(struct op *op, const char *root, const char *dir, struct error *err)
{
	const char *slash = strrchr(dir, '/');
	size_t len = strlen(root);
	struct stat st;

	if (lstat(dir, &st) != 0 && errno == ENOENT)
		return true;
	if (!slash || (size_t)(slash - dir) != len || strncmp(dir, root, len) != 0 ||
	    !copy_is_name(slash + 1))
		return error_set(err, ERR_REFUSED, "%s is not directly below %s", dir, root);
	if (!S_ISDIR(st.st_mode))
		return error_set(err, ERR_REFUSED, "%s is not a folder of ours", dir);
	if (!is_ours(op, dir)) {
		/* We died before the mark, perhaps while writing it. */
		if (is_alone(dir))
			unlink(arena_printf(&op->arena, "%s/%s.new", dir, marker));
		if (rmdir(dir) == 0)
			return true;
		error_set(err, ERR_REFUSED, "%s does not carry our mark", dir);
		return error_hint(err, "Look at it, and remove it by hand.");
	}
	end_copying(dir);
	for (int try = 0;; try++) {
		const char *argv[] = { "/bin/rm", "-rf", "--one-file-system", "--",
			arena_printf(&op->arena, "%s/data", dir),
			arena_printf(&op->arena, "%s/tablespaces", dir),
			arena_printf(&op->arena, "%s/server.log", dir),
			arena_printf(&op->arena, "%s/passfile", dir),
			arena_printf(&op->arena, "%s/.s.PGSQL.5432", dir),
			arena_printf(&op->arena, "%s/.s.PGSQL.5432.lock", dir), NULL };

		if (local_run(op, argv, NULL, REMOVE_MS, NULL, NULL, err))
			break;
		if (try == REMOVE_TRIES)
			return false;
		nanosleep(&(struct timespec){ 0, 200 * 1000000L }, NULL);
	}
	if (!is_alone(dir))
		return error_set(err, ERR_STATE, "%s holds something that is not ours", dir);
	/* The mark goes last. */
	if (unlink(arena_printf(&op->arena, "%s/%s", dir, marker)) == 0 && rmdir(dir) == 0)
		return true;
	return error_set(err, ERR_FILE, "cannot remove %s: %s", dir, strerror(errno));
}

static bool
restore_into(struct op *op, const char *label, const char *const *target, struct error *err)
{
	const char *args[24] = { "restore", "--archive-mode=off",
		arena_printf(&op->arena, "--pg1-path=%s", copy_data(op)),
		arena_printf(&op->arena, "--set=%s", label),
		/* Or tablespaces would be written where the source has its own. */
		arena_printf(&op->arena, "--tablespace-map-all=%s", below(op, "tablespaces")) };
	int n = 5;

	for (int i = 0; target[i] && n < 23; i++)
		args[n++] = target[i];
	args[n] = NULL;
	return pgbackrest_run(op, args, RESTORE_MS, NULL, err);
}

bool
copy_begin(struct op *op, const char *text, struct error *err)
{
	const char *dir = fact(op, "copy.dir"), *root = fact(op, "copy.root");
	const char *mark = below(op, marker);
	bool is_again = false;
	struct job_leftover *known;
	int n;

	if (!jobs_leftovers(op->journal, op->job, &op->arena, &known, &n, err))
		return false;
	for (int i = 0; i < n; i++)
		is_again = is_again || strcmp(known[i].kind, "directory") == 0;
	if (is_again && !remove_folder(op, root, dir, err))
		return false;
	return copy_make_root(root, err) && leave(op, "directory", "the copy in", err) &&
	    local_make_folder(op, dir, err) &&
	    local_write(op, mark,
	        arena_printf(&op->arena, "job %lld\n%s", (long long)op->job, text), err) &&
	    local_make_folder(op, copy_data(op), err) &&
	    local_make_folder(op, below(op, "tablespaces"), err);
}

bool
copy_restore(struct op *op, const char *label, const char *const *target, struct error *err)
{
	return copy_begin(op, "", err) && restore_into(op, label, target, err);
}

/* ------------------------------------------------------------------ its server */

bool
copy_stop(struct op *op, struct error *err)
{
	return copy_server_stop(
	    op, fact(op, "copy.dir"), (int)op_fact_int(op, "copy.major", 0), err);
}

bool
copy_remove(struct op *op, struct error *err)
{
	return copy_stop(op, err) && op_settle_kind(op, "server", err) &&
	    remove_folder(op, fact(op, "copy.root"), fact(op, "copy.dir"), err) &&
	    op_settle_kind(op, "directory", err);
}

bool
copy_leave_directory(struct op *op, struct error *err)
{
	return leave(op, "directory", "the copy in", err);
}

bool
copy_leave_server(struct op *op, struct error *err)
{
	return leave(op, "server", "the server of", err);
}

/* ------------------------------------------------------------------ leftovers */

static bool
read_args(struct op *op, const struct job_leftover *left, const char **dir, const char **root,
    int *major, struct error *err)
{
	struct json *args = json_parse(left->args, strlen(left->args), err);
	const char *d = json_text(json_get(args, "dir")), *r = json_text(json_get(args, "root"));
	double m = 0;
	bool ok = args && d && r && json_number(json_get(args, "major"), &m);

	if (ok) {
		*dir = arena_strdup(&op->arena, d);
		*root = arena_strdup(&op->arena, r);
		*major = (int)m;
	} else {
		error_set(err, ERR_JOURNAL, "leftover %lld does not say where it is",
		    (long long)left->id);
	}
	json_free(args);
	return ok;
}

/* Is it still the folder that this job has made, or was to drop? One of the same name may have
 * taken its place. */
static bool
is_of_job(struct op *op, const struct job_leftover *left, const char *dir, struct error *err)
{
	const char *mark = copy_mark(op, dir);
	const char *own = arena_printf(&op->arena, "job %lld", (long long)left->job);

	if (op_fact(op, "goes"))
		return copy_is_same(op, err);
	if (!mark || (strlen(own) == strcspn(mark, "\n") && strncmp(mark, own, strlen(own)) == 0))
		return true;
	error_set(err, ERR_CHANGED, "%s is of %.*s, not of this one", dir, (int)strcspn(mark, "\n"),
	    mark);
	return error_hint(err, "Look at it, and remove it by hand where it is not needed.");
}

bool
copy_is_expendable(struct op *op, const char *dir, struct error *err)
{
	const char *mark = copy_mark(op, dir);
	const char *data = arena_printf(&op->arena, "%s/data", dir);

	/* It follows until a promotion has removed the signal; one that was never started has a
	 * label. */
	if (!mark || !strstr(mark, COPY_REPLICA) ||
	    access(arena_printf(&op->arena, "%s/global/pg_control", data), F_OK) != 0 ||
	    access(arena_printf(&op->arena, "%s/standby.signal", data), F_OK) == 0 ||
	    access(arena_printf(&op->arena, "%s/backup_label", data), F_OK) == 0)
		return true;
	error_set(err, ERR_REFUSED, "%s is no standby any more: it was promoted", dir);
	return error_hint(err,
	    "What was written to it is nowhere else. Stop and remove it by hand where it is not needed.");
}

bool
copy_undo_directory(struct op *op, const struct job_leftover *left, struct error *err)
{
	const char *dir, *root;
	int major;

	return read_args(op, left, &dir, &root, &major, err) && is_of_job(op, left, dir, err) &&
	    copy_is_expendable(op, dir, err) && copy_server_stop(op, dir, major, err) &&
	    remove_folder(op, root, dir, err);
}

bool
copy_undo_server(struct op *op, const struct job_leftover *left, struct error *err)
{
	const char *dir, *root;
	int major;

	return read_args(op, left, &dir, &root, &major, err) && is_of_job(op, left, dir, err) &&
	    copy_is_expendable(op, dir, err) && copy_server_stop(op, dir, major, err);
}
