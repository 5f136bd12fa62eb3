/*
 * The folder of the lab. Its lock is a flock() on the folder itself: no file is left behind, and it
 * ends with the process, however that ends. Since `down` removes the folder, who has waited for the
 * lock looks whether it is still the same folder, and begins again if not.
 *
 * The marker names a scratch folder before initdb runs in it, and the system identifier before the
 * scratch folder becomes "primary": so at each moment everything that the lab has made can be told
 * from a cluster that somebody else has put in its place.
 */
#include "config.h"

#include "guide/lab_folder.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/builtin.h"
#include "base/conf.h"
#include "base/proc.h"

static const char marker_name[] = "pgmedic-lab";
static const char marker_first[] = "pgmedic lab 1";

/* What a lab makes in its folder, besides the scratch folder. */
static const char *const own_names[] = { "primary", "standby", "pgbouncer", "load", "log", "sql",
	"password", "cloud", "backrest", "repo", "restores", "snapshots", "socket", LAB_TARGETS };

const char *
lab_path(struct lab *lab, const char *name)
{
	return arena_printf(&lab->arena, "%s/%s", lab->dir, name);
}

/* ---- where and whose */

static bool
has_marker(struct arena *arena, const char *dir)
{
	struct stat st;

	return lstat(arena_printf(arena, "%s/%s", dir, marker_name), &st) == 0;
}

static bool
choose_owner(struct lab *lab, struct error *err)
{
	struct passwd *pw = NULL;

	if (geteuid() == 0) {
		pw = getpwnam("postgres");
		if (!pw || pw->pw_uid == 0)
			pw = getpwnam("nobody");
		if (!pw || pw->pw_uid == 0) {
			error_set(err, ERR_LAB,
			    "a lab does not run as root, and there is no user postgres or nobody");
			return error_hint(err, "Run it as an ordinary user.");
		}
	} else {
		pw = getpwuid(geteuid());
	}
	lab->uid = pw ? pw->pw_uid : geteuid();
	lab->gid = pw ? pw->pw_gid : getegid();
	lab->user = pw ? arena_strdup(&lab->arena, pw->pw_name) :
	                 arena_printf(&lab->arena, "%ld", (long)lab->uid);
	return true;
}

/* Without links in the part that exists, so that it compares with a process's working directory. */
static const char *
canonical(struct arena *arena, const char *path)
{
	char *real = realpath(path, NULL);
	const char *slash = strrchr(path, '/'), *parent;

	if (!real && errno == ENOENT && slash && slash != path && slash[1]) {
		parent = canonical(arena, arena_strndup(arena, path, (size_t)(slash - path)));
		return arena_printf(arena, "%s/%s", parent, slash + 1);
	}
	const char *result = arena_strdup(arena, real ? real : path);

	free(real);
	return result;
}

bool
lab_locate(struct lab *lab, const char *directory, struct error *err)
{
	*lab = (struct lab){ .lock_fd = -1 };
	strbuf_init(&lab->tail, 16384);
	if (!choose_owner(lab, err))
		return false;
	const char *named = directory ? directory : getenv("PGMEDIC_LAB");
	const char *shared = arena_printf(&lab->arena, "/var/tmp/pgmedic-lab-%ld", (long)lab->uid);
	char cwd[4096];

	if (named && *named) {
		lab->dir = arena_strdup(&lab->arena, named);
		if (named[0] != '/' && getcwd(cwd, sizeof(cwd)))
			lab->dir = arena_printf(&lab->arena, "%s/%s", cwd, named);
	} else {
		const char *own = geteuid() == 0 ? shared : path_state(&lab->arena, "lab");

		lab->dir =
		    has_marker(&lab->arena, own) || !has_marker(&lab->arena, shared) ? own : shared;
	}
	size_t len = strlen(lab->dir);

	while (len > 1 && lab->dir[len - 1] == '/')
		len--;
	lab->dir = canonical(&lab->arena, arena_strndup(&lab->arena, lab->dir, len));
	for (const char *c = lab->dir; *c; c++)
		if (iscntrl((unsigned char)*c) || *c == '"' || *c == '\\' || *c == '\'')
			return error_set(err, ERR_USAGE,
			    "the folder's path holds a quote, a backslash or a control byte");
	return true;
}

void
lab_release(struct lab *lab)
{
	if (lab->lock_fd >= 0)
		close(lab->lock_fd);
	lab->lock_fd = -1;
	strbuf_release(&lab->tail);
	arena_release(&lab->arena);
}

/* As root, in a place that others may write to: what we give away must be what we made. */
static bool
make_for_owner(struct lab *lab, struct error *err)
{
	struct stat st;

	if (mkdir(lab->dir, 0700) < 0) {
		if (errno == EEXIST)
			return true;
		return error_set(err, ERR_FILE, "cannot make %s: %s", lab->dir, strerror(errno));
	}
	int fd = open(lab->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	bool ok =
	    fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == 0 && fchown(fd, lab->uid, lab->gid) == 0;

	if (!ok)
		error_set(err, ERR_FILE, "cannot give %s to %s: %s", lab->dir, lab->user,
		    strerror(errno));
	if (fd >= 0)
		close(fd);
	return ok;
}

bool
lab_become_owner(struct lab *lab, bool make, struct error *err)
{
	if (geteuid() != 0)
		return true;
	if (make && !make_for_owner(lab, err))
		return false;
	if (initgroups(lab->user, lab->gid) < 0 || setgid(lab->gid) < 0 || setuid(lab->uid) < 0)
		return error_set(
		    err, ERR_LAB, "cannot become the user %s: %s", lab->user, strerror(errno));
	struct passwd *pw = getpwuid(lab->uid);

	/* The caller's folder may be closed to that user, and programs look at both. */
	if (chdir("/") < 0 ||
	    setenv("HOME", pw && access(pw->pw_dir, X_OK) == 0 ? pw->pw_dir : "/", 1) < 0)
		return error_set(
		    err, ERR_LAB, "cannot become the user %s: %s", lab->user, strerror(errno));
	unsetenv("XDG_STATE_HOME");
	unsetenv("XDG_CONFIG_HOME");
	return true;
}

static bool
check_private(const struct lab *lab, const struct stat *st, struct error *err)
{
	if (!S_ISDIR(st->st_mode))
		return error_set(err, ERR_LAB, "%s is not a folder", lab->dir);
	if (st->st_uid != lab->uid) {
		error_set(err, ERR_REFUSED, "%s does not belong to %s", lab->dir, lab->user);
		return error_hint(err, "Choose another folder with --directory.");
	}
	if (st->st_mode & 077) {
		error_set(err, ERR_REFUSED, "%s is open to other users", lab->dir);
		return error_hint(err, "chmod 700 %s", lab->dir);
	}
	return true;
}

bool
lab_lock(struct lab *lab, bool make, struct error *err)
{
	struct stat locked, named;

	for (int tries = 0; tries < 100; tries++) {
		if (make && access(lab->dir, F_OK) < 0 && !path_make(lab->dir, err)) {
			error_hint(err,
			    "Choose a folder that %s can reach, as /var/tmp/pgmedic-lab-%ld.",
			    lab->user, (long)lab->uid);
			return false;
		}
		int fd = open(lab->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (fd < 0 && errno == ENOENT)
			return error_set(err, ERR_NOT_FOUND, "there is no lab in %s", lab->dir);
		if (fd < 0) {
			error_set(err, ERR_FILE, "cannot open %s: %s", lab->dir, strerror(errno));
			return error_hint(err,
			    "Choose a folder that %s can reach, as /var/tmp/pgmedic-lab-%ld.",
			    lab->user, (long)lab->uid);
		}
		lab->lock_fd = fd;
		if (fstat(fd, &locked) < 0 || !check_private(lab, &locked, err))
			return false;
		while (flock(fd, LOCK_EX) < 0)
			if (errno != EINTR || (lab->stop && *lab->stop))
				return error_set(err, ERR_STATE,
				    "interrupted while another pgmedic works on %s", lab->dir);
		if (lstat(lab->dir, &named) == 0 && named.st_ino == locked.st_ino &&
		    named.st_dev == locked.st_dev)
			return true;
		close(fd);
		lab->lock_fd = -1;
	}
	return error_set(err, ERR_STATE, "%s comes and goes", lab->dir);
}

bool
lab_is_empty(const struct lab *lab)
{
	DIR *dir = opendir(lab->dir);
	struct dirent *entry;
	bool is_empty = true;

	while (dir && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			is_empty = false;
	if (dir)
		closedir(dir);
	return is_empty;
}

/* ---- the marker */

static void
read_server(struct lab_server *server, const char *value)
{
	long port = 0, pid = 0;
	uint64_t start = 0;

	if (sscanf(value, "%ld %ld %" SCNu64, &port, &pid, &start) >= 1 && port > 0 &&
	    port < 65536 && pid >= 0)
		*server =
		    (struct lab_server){ .port = (int)port, .pid = (pid_t)pid, .start = start };
}

static void
read_entry(struct lab *lab, const char *name, const char *value)
{
	const struct {
		const char *name;
		const char **text;
	} texts[] = { { "bindir", &lab->bindir }, { "version", &lab->version },
		{ "password", &lab->password }, { "scratch", &lab->scratch } };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (strcmp(name, texts[i].name) == 0)
			*texts[i].text = arena_strdup(&lab->arena, value);
	if (strcmp(name, "complete") == 0)
		lab->is_complete = strcmp(value, "yes") == 0;
	else if (strcmp(name, "load") == 0)
		lab->has_load = strcmp(value, "yes") == 0;
	else if (strcmp(name, "system_identifier") == 0)
		lab->system_id = strtoull(value, NULL, 10);
	else if (strcmp(name, "primary") == 0)
		read_server(&lab->primary, value);
	else if (strcmp(name, "standby") == 0)
		read_server(&lab->standby, value);
	else if (strcmp(name, "pgbouncer") == 0)
		lab->pool_port = (int)strtol(value, NULL, 10);
	else if (strcmp(name, "cloud") == 0)
		lab->cloud_port = (int)strtol(value, NULL, 10);
	else if (strcmp(name, "endpoint") == 0)
		lab->endpoint_port = (int)strtol(value, NULL, 10);
}

/* The scratch folder is removed whole: its name must be a plain one of ours. */
static bool
marker_is_sound(const struct lab *lab)
{
	return lab->bindir && lab->bindir[0] == '/' && lab->version && lab->password &&
	    lab->scratch && strncmp(lab->scratch, "initdb-", 7) == 0 &&
	    strspn(lab->scratch + 7, "0123456789abcdef") == strlen(lab->scratch + 7) &&
	    lab->primary.port > 0 && lab->pool_port >= 0 && lab->pool_port < 65536 &&
	    lab->cloud_port >= 0 && lab->cloud_port < 65536 && lab->endpoint_port >= 0 &&
	    lab->endpoint_port < 65536;
}

static bool
read_marker_text(
    const struct lab *lab, const char *path, char *text, size_t size, struct error *err)
{
	struct stat st;
	/* Whoever reads may be root and the folder another's: no link, no waiting for a pipe. */
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	ssize_t n = -1;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return error_set(err, ERR_NOT_FOUND, "there is no lab in %s", lab->dir);
	if (fd < 0)
		return error_set(err, ERR_FILE, "cannot read %s: %s", path, strerror(errno));
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == lab->uid)
		n = read(fd, text, size - 1);
	close(fd);
	if (n < 0)
		return error_set(err, ERR_REFUSED, "%s is not a file of %s", path, lab->user);
	text[n] = 0;
	return true;
}

bool
lab_read(struct lab *lab, struct error *err)
{
	char text[4096], *line = text;
	const char *path = lab_path(lab, marker_name);
	struct stat st;

	if (lstat(lab->dir, &st) == 0 && !check_private(lab, &st, err))
		return false;
	if (!read_marker_text(lab, path, text, sizeof(text), err))
		return false;
	bool is_first = true, is_ours = false;

	while (*line) {
		char *next = line + strcspn(line, "\n"), *value;

		if (*next)
			*next++ = 0;
		if (is_first)
			is_ours = strcmp(line, marker_first) == 0;
		value = strchr(line, ' ');
		if (value && !is_first) {
			*value = 0;
			read_entry(lab, line, value + 1);
		}
		is_first = false;
		line = next;
	}
	if (is_ours && marker_is_sound(lab))
		return true;
	error_set(err, ERR_FORMAT, "%s is damaged, or of another version of pgmedic", path);
	return error_hint(
	    err, "Stop what runs in %s by pg_ctl and remove the folder by hand.", lab->dir);
}

bool
lab_write_file(struct lab *lab, const char *name, const char *text, struct error *err)
{
	const char *path = lab_path(lab, name), *fresh = arena_printf(&lab->arena, "%s.new", path);
	int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	size_t len = strlen(text), done = 0;
	bool ok = fd >= 0;

	while (ok && done < len) {
		ssize_t n = write(fd, text + done, len - done);

		if (n < 0 && errno != EINTR)
			ok = false;
		done += n > 0 ? (size_t)n : 0;
	}
	int failed = errno;

	if (fd >= 0 && close(fd) < 0 && ok) {
		failed = errno;
		ok = false;
	}
	if (ok && rename(fresh, path) < 0) {
		failed = errno;
		ok = false;
	}
	return ok ? true : error_set(err, ERR_FILE, "cannot write %s: %s", path, strerror(failed));
}

bool
lab_write(struct lab *lab, struct error *err)
{
	struct strbuf text;

	strbuf_init(&text, 4000);
	strbuf_addf(&text, "%s\ncomplete %s\nload %s\nsystem_identifier %" PRIu64 "\n",
	    marker_first, lab->is_complete ? "yes" : "no", lab->has_load ? "yes" : "no",
	    lab->system_id);
	strbuf_addf(&text, "primary %d %ld %" PRIu64 "\n", lab->primary.port,
	    (long)lab->primary.pid, lab->primary.start);
	if (lab->standby.port)
		strbuf_addf(&text, "standby %d %ld %" PRIu64 "\n", lab->standby.port,
		    (long)lab->standby.pid, lab->standby.start);
	if (lab->pool_port)
		strbuf_addf(&text, "pgbouncer %d\n", lab->pool_port);
	if (lab->cloud_port)
		strbuf_addf(&text, "cloud %d\nendpoint %d\n", lab->cloud_port, lab->endpoint_port);
	strbuf_addf(&text, "bindir %s\nversion %s\npassword %s\nscratch %s\n", lab->bindir,
	    lab->version, lab->password, lab->scratch);
	bool ok = !text.cut && lab_write_file(lab, marker_name, text.buf, err);

	strbuf_release(&text);
	return ok;
}

/* ---- files */

bool
lab_make_dir(struct lab *lab, const char *name, struct error *err)
{
	const char *path = lab_path(lab, name);

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return error_set(err, ERR_FILE, "cannot make %s: %s", path, strerror(errno));
	return true;
}

char *
lab_fill(struct lab *lab, const char *file, ...)
{
	const char *text = builtin_file(file);
	struct strbuf out;

	if (!text)
		fatal("the compiled-in file %s is missing", file);
	strbuf_init(&out, 65536);
	while (*text) {
		size_t len = strcspn(text, "@"), name_len;
		const char *name, *value = NULL;
		va_list ap;

		strbuf_add(&out, text, len);
		text += len;
		if (!*text)
			break;
		name_len = strcspn(text + 1, "@\n");
		va_start(ap, file);
		while (!value && (name = va_arg(ap, const char *))) {
			const char *v = va_arg(ap, const char *);

			if (strlen(name) == name_len && strncmp(name, text + 1, name_len) == 0)
				value = v;
		}
		va_end(ap);
		if (value) {
			strbuf_adds(&out, value);
			text += name_len + 2;
		} else {
			strbuf_addc(&out, *text++);
		}
	}
	char *result = arena_strdup(&lab->arena, out.buf);

	strbuf_release(&out);
	return result;
}

uint64_t
lab_system_id(struct lab *lab, const char *data)
{
	/* The first field of the file in every version since 8.0, in the machine's byte order. */
	const char *path = arena_printf(&lab->arena, "%s/%s/global/pg_control", lab->dir, data);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	uint64_t id = 0;

	if (fd < 0)
		return 0;
	if (read(fd, &id, sizeof(id)) != (ssize_t)sizeof(id))
		id = 0;
	close(fd);
	return id;
}

static int
remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path) < 0 && errno != ENOENT ? -1 : 0;
}

static bool
remove_tree(const char *path, struct error *err)
{
	struct stat st;

	if (lstat(path, &st) < 0 && errno == ENOENT)
		return true;
	if (nftw(path, remove_entry, 32, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) < 0)
		return error_set(err, ERR_FILE, "cannot remove %s: %s", path, strerror(errno));
	return true;
}

bool
lab_remove(struct lab *lab, struct error *err)
{
	for (size_t i = 0; i < ARRAY_LEN(own_names); i++)
		if (!remove_tree(lab_path(lab, own_names[i]), err))
			return false;
	if (lab->scratch && !remove_tree(lab_path(lab, lab->scratch), err))
		return false;
	unlink(arena_printf(&lab->arena, "%s/%s.new", lab->dir, marker_name));
	if (unlink(lab_path(lab, marker_name)) < 0 && errno != ENOENT)
		return error_set(err, ERR_FILE, "cannot remove %s/%s: %s", lab->dir, marker_name,
		    strerror(errno));
	if (rmdir(lab->dir) == 0 || errno == ENOENT)
		return true;
	if (errno == ENOTEMPTY || errno == EEXIST)
		return error_set(err, ERR_STATE,
		    "%s is left: it holds something that the lab has not made", lab->dir);
	/* The folder above is another's, often root's, who then removes this one, now empty: see
	 * lab_main(). */
	return true;
}

const char *const *
lab_environment(struct lab *lab, const char *const *extra)
{
	/* Not all of ours: what a superuser runs in the server sees it, and root's may hold
	 * secrets. */
	static const char *const kept[] = { "PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH",
		"LD_PRELOAD" };
	const char *env[32];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		if (getenv(kept[i]))
			env[n++] = arena_printf(&lab->arena, "%s=%s", kept[i], getenv(kept[i]));
	env[n++] = arena_printf(&lab->arena, "USER=%s", lab->user);
	env[n++] = arena_printf(&lab->arena, "LOGNAME=%s", lab->user);
	env[n++] = "LC_ALL=C";
	env[n++] = "TZ=UTC";
	for (size_t i = 0; extra && extra[i] && n + 1 < ARRAY_LEN(env); i++)
		env[n++] = extra[i];
	env[n++] = NULL;
	const char **copy = arena_alloc(&lab->arena, n * sizeof(*copy));

	memcpy(copy, env, n * sizeof(*copy));
	return copy;
}

void
lab_keep_tail(struct lab *lab, const char *path)
{
	struct strbuf lines;

	strbuf_init(&lines, 8192);
	proc_tail(&lines, path, 12, "  ");
	if (lines.len) {
		strbuf_addf(&lab->tail, "The end of %s:\n", path);
		strbuf_adds(&lab->tail, lines.buf);
	}
	strbuf_release(&lines);
}
