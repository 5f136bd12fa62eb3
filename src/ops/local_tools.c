#include "config.h"

#include "ops/local_tools.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_FILE = 64 << 20 };

void
local_become_owner(const struct op *op, struct proc_spec *spec)
{
	const char *paths[] = { op->target->data_directory, op->target->pgbackrest_config };
	struct stat st;

	if (geteuid() != 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		if (!paths[i] || !*paths[i] || stat(paths[i], &st) != 0 || st.st_uid == 0)
			continue;
		spec->drops_user = true;
		spec->uid = st.st_uid;
		spec->gid = st.st_gid;
		return;
	}
}

const char *
local_pg_program(struct op *op, int major, const char *name)
{
	/* Debian's folders, and those of the PGDG's RPMs. */
	static const struct {
		const char *before, *after;
	} homes[] = { { "/usr/lib/postgresql/", "/bin" }, { "/usr/pgsql-", "/bin" } };
	const char *given = getenv("PGMEDIC_PGBIN");
	const char *path;

	for (size_t i = 0; i < ARRAY_LEN(homes); i++) {
		path = arena_printf(
		    &op->arena, "%s%d%s/%s", homes[i].before, major, homes[i].after, name);
		if (access(path, X_OK) == 0)
			return path;
	}
	if (given && *given) {
		path = arena_printf(&op->arena, "%s/%s", given, name);
		if (access(path, X_OK) == 0)
			return path;
	}
	return proc_find(&op->arena, name);
}

static const char *const plain[] = { "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
	"LC_ALL=C", "HOME=/", "TZ=UTC", NULL };

bool
local_run_in(struct op *op, const char *const *argv, const char *const *env, const char *input,
    const char *secret, int timeout_ms, struct strbuf *out, int *status, struct error *err)
{
	struct strbuf own = STRBUF_INIT(MAX_FILE);
	struct proc_spec spec = { .argv = argv,
		.env = env,
		.dir = "/",
		.input = input,
		.secret = secret,
		.dies_with_us = true };
	const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];
	struct proc proc;
	char how[64];
	int ended = 0;
	bool ok;

	if (!out)
		out = &own;
	local_become_owner(op, &spec);
	ok = proc_start(&proc, &spec, true, err) &&
	    (proc_wait(&proc, timeout_ms, op->stop, out, &ended, err) ||
	        error_prefix(err, "%s", name));
	if (ok && status)
		*status = ended;
	if (ok && ended != 0) {
		size_t len = out->len;

		while (len && out->buf[len - 1] == '\n')
			len--;
		size_t from = len;

		while (from && out->buf[from - 1] != '\n')
			from--;
		ok = error_set(err, ERR_PROGRAM, "%s failed: %s%s%.*s", name,
		    proc_status_text(ended, how, sizeof(how)), len ? ": " : "", (int)(len - from),
		    out->buf + from);
	}
	strbuf_release(&own);
	return ok;
}

bool
local_run(struct op *op, const char *const *argv, const char *input, int timeout_ms,
    struct strbuf *out, int *status, struct error *err)
{
	return local_run_in(op, argv, plain, input, NULL, timeout_ms, out, status, err);
}

bool
local_run_secret(
    struct op *op, const char *const *argv, const char *secret, int timeout_ms, struct error *err)
{
	return local_run_in(op, argv, plain, NULL, secret, timeout_ms, NULL, NULL, err);
}

/* Whose it is to be, where we are root. */
static bool
give(struct op *op, int fd, const char *path, struct error *err)
{
	struct proc_spec spec = { .drops_user = false };

	local_become_owner(op, &spec);
	if (!spec.drops_user)
		return true;
	if ((fd >= 0 ? fchown(fd, spec.uid, spec.gid) : lchown(path, spec.uid, spec.gid)) == 0)
		return true;
	return error_set(err, ERR_FILE, "cannot give %s to its owner: %s", path, strerror(errno));
}

bool
local_make_folder(struct op *op, const char *path, struct error *err)
{
	if (mkdir(path, 0700) != 0) {
		if (errno == EEXIST)
			return error_set(err, ERR_STATE, "there is a %s already", path);
		return error_set(err, ERR_FILE, "cannot make %s: %s", path, strerror(errno));
	}
	return give(op, -1, path, err);
}

const char *
local_conf_value(struct op *op, const char *value)
{
	struct strbuf sb = STRBUF_INIT(1 << 20);
	const char *copy;

	strbuf_addc(&sb, '\'');
	for (; *value; value++) {
		if (*value == '\'' || *value == '\\')
			strbuf_addc(&sb, *value);
		strbuf_addc(&sb, *value);
	}
	strbuf_addc(&sb, '\'');
	copy = arena_strndup(&op->arena, sb.buf, sb.len);
	strbuf_release(&sb);
	return copy;
}

static bool
write_all(int fd, const char *text)
{
	size_t len = strlen(text);

	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
	return fsync(fd) == 0;
}

bool
local_write(struct op *op, const char *path, const char *text, struct error *err)
{
	const char *temp = arena_printf(&op->arena, "%s.new", path);
	bool ok;
	int fd;

	unlink(temp);
	fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_set(err, ERR_FILE, "cannot make %s: %s", temp, strerror(errno));
	ok = (write_all(fd, text) ||
	         error_set(err, ERR_FILE, "cannot write %s: %s", temp, strerror(errno))) &&
	    give(op, fd, path, err);
	close(fd);
	if (ok && rename(temp, path) != 0)
		ok = error_set(err, ERR_FILE, "cannot write %s: %s", path, strerror(errno));
	return ok;
}

const char *
local_read(struct op *op, const char *path, struct error *err)
{
	struct strbuf text = STRBUF_INIT(MAX_FILE);
	char piece[8192];
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	const char *copy = NULL;
	ssize_t n = -1;

	while (fd >= 0 && ((n = read(fd, piece, sizeof(piece))) > 0 || (n < 0 && errno == EINTR)))
		strbuf_add(&text, piece, n > 0 ? (size_t)n : 0);
	if (fd < 0 || n < 0)
		error_set(err, ERR_FILE, "cannot read %s: %s", path, strerror(errno));
	else
		copy = arena_strndup(&op->arena, text.buf, text.len);
	if (fd >= 0)
		close(fd);
	strbuf_release(&text);
	return copy;
}
