/*
 * PostgreSQL servers of the lab. They are started without pg_ctl, which would put the path of the
 * data directory into a shell command and look every 100 ms only; postmaster.pid says when they are
 * ready.
 */
#include "config.h"

#include "guide/lab_cluster.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/proc.h"
#include "guide/lab_backup.h"

enum {
	PROGRAM_MS = 120000, /* for any one program; a loaded machine may need ten times what it
	                        takes here */
	START_MS = 60000,
	LOOK_MS = 5, /* between two looks at a file */
	LEAST_MAJOR = 13,
};

/* ---- programs */

static const char *const needed[] = { "initdb", "postgres", "pg_ctl", "pg_basebackup", "psql",
	"pgbench" };

static const char *
missing_in(struct lab *lab, const char *dir)
{
	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		if (access(arena_printf(&lab->arena, "%s/%s", dir, needed[i]), X_OK) < 0)
			return needed[i];
	return NULL;
}

/* The newest of /usr/lib/postgresql/15/bin or /usr/pgsql-15/bin that has everything. */
static const char *
newest(struct lab *lab, const char *pattern, const char *before)
{
	const char *best = NULL;
	glob_t found;
	long best_major = 0;

	if (glob(pattern, 0, NULL, &found) != 0)
		return NULL;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		long major = strtol(found.gl_pathv[i] + strlen(before), NULL, 10);

		if (major > best_major && !missing_in(lab, found.gl_pathv[i])) {
			best_major = major;
			best = arena_strdup(&lab->arena, found.gl_pathv[i]);
		}
	}
	globfree(&found);
	return best;
}

static const char *
by_pg_config(struct lab *lab)
{
	const char *argv[] = { "pg_config", "--bindir", NULL };
	const struct proc_spec spec = { .argv = argv, .dir = "/", .dies_with_us = true };
	const char *dir = NULL;
	struct strbuf out;
	struct error ignored;

	strbuf_init(&out, 4096);
	if (proc_run(&spec, 5000, lab->stop, &out, &ignored))
		dir = arena_strndup(&lab->arena, out.buf, strcspn(out.buf, "\n"));
	strbuf_release(&out);
	return dir && !missing_in(lab, dir) ? dir : NULL;
}

static const char *
by_path(struct lab *lab)
{
	const char *initdb = proc_find(&lab->arena, "initdb");
	char *real = initdb ? realpath(initdb, NULL) : NULL,
	     *slash = real ? strrchr(real, '/') : NULL;
	const char *dir = slash ? arena_strndup(&lab->arena, real, (size_t)(slash - real)) : NULL;

	free(real);
	return dir && !missing_in(lab, dir) ? dir : NULL;
}

static bool
read_version(struct lab *lab, struct error *err)
{
	const char *argv[] = { arena_printf(&lab->arena, "%s/postgres", lab->bindir), "--version",
		NULL };
	const struct proc_spec spec = { .argv = argv, .dir = "/", .dies_with_us = true };
	struct strbuf out;

	strbuf_init(&out, 4096);
	bool ok = proc_run(&spec, PROGRAM_MS, lab->stop, &out, err);
	const char *digits = out.buf + strcspn(out.buf, "0123456789");

	if (ok) {
		lab->version = arena_strndup(&lab->arena, digits, strcspn(digits, " \n"));
		if (strtol(lab->version, NULL, 10) < LEAST_MAJOR)
			ok = error_set(err, ERR_UNSUPPORTED,
			    "%s is PostgreSQL %s, the lab needs %d or newer", lab->bindir,
			    lab->version, LEAST_MAJOR);
	}
	strbuf_release(&out);
	return ok;
}

bool
cluster_find(struct lab *lab, struct error *err)
{
	const char *given = getenv("PGMEDIC_PGBIN");

	if (given && *given) {
		const char *missing = missing_in(lab, given);

		if (missing || given[0] != '/')
			return error_set(err, ERR_PROGRAM, "PGMEDIC_PGBIN (%s) does not have %s",
			    given, missing ? missing : "an absolute path");
		lab->bindir = arena_strdup(&lab->arena, given);
		return read_version(lab, err);
	}
	lab->bindir = newest(lab, "/usr/lib/postgresql/*/bin", "/usr/lib/postgresql/");
	if (!lab->bindir)
		lab->bindir = by_pg_config(lab);
	if (!lab->bindir)
		lab->bindir = by_path(lab);
	if (!lab->bindir)
		lab->bindir = newest(lab, "/usr/pgsql-*/bin", "/usr/pgsql-");
	if (lab->bindir)
		return read_version(lab, err);
	error_set(err, ERR_PROGRAM,
	    "no folder has all of initdb, postgres, pg_ctl, pg_basebackup, psql and pgbench");
	return error_hint(err,
	    "Install the server: apt-get install postgresql, or dnf install postgresql-server postgresql-contrib; "
	    "or name its folder in PGMEDIC_PGBIN.");
}

bool
cluster_free_port(const struct lab *lab, int *port, struct error *err)
{
	for (int tries = 0; tries < 50; tries++) {
		struct sockaddr_in addr = { .sin_family = AF_INET,
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		socklen_t len = sizeof(addr);
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&addr, len) == 0 &&
		    getsockname(fd, (struct sockaddr *)&addr, &len) == 0;

		if (!ok)
			error_set(err, ERR_LAB, "there is no free port on 127.0.0.1: %s",
			    strerror(errno));
		if (fd >= 0)
			close(fd);
		if (!ok)
			return false;
		int found = ntohs(addr.sin_port);

		if (found != lab->primary.port && found != lab->standby.port &&
		    found != lab->pool_port && found != lab->cloud_port &&
		    found != lab->endpoint_port) {
			*port = found;
			return true;
		}
	}
	return error_set(err, ERR_LAB, "there is no free port on 127.0.0.1");
}

/* One of the server's programs, its output in log/NAME.log. */
static bool
run_program(
    struct lab *lab, const char *const *argv, const char *const *extra_env, struct error *err)
{
	const char *name = strrchr(argv[0], '/') + 1;
	const struct proc_spec spec = { .argv = argv,
		.env = lab_environment(lab, extra_env),
		.dir = lab->dir,
		.log = arena_printf(&lab->arena, "%s/log/%s.log", lab->dir, name),
		.dies_with_us = true };

	if (proc_run(&spec, PROGRAM_MS, lab->stop, NULL, err))
		return true;
	lab_keep_tail(lab, spec.log);
	return false;
}

static const char *
program(struct lab *lab, const char *name)
{
	return arena_printf(&lab->arena, "%s/%s", lab->bindir, name);
}

/* ---- making */

bool
cluster_configure(struct lab *lab, const char *name, const char *text, struct error *err)
{
	const char *path = lab_path(lab, name);
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (!ok)
		error_set(err, ERR_FILE, "cannot write %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool
configure(struct lab *lab, const char *data, struct error *err)
{
	const char *conf = lab_fill(lab, "guide/lab_postgresql.conf", (char *)NULL),
	           *hba = lab_fill(lab, "guide/lab_hba.conf", (char *)NULL);

	lab->has_statements = true; /* the first start shows it */
	return cluster_configure(lab, arena_printf(&lab->arena, "%s/postgresql.conf", data),
	           arena_printf(&lab->arena,
	               "\n%sport = %d\ncluster_name = 'pgmedic-lab/primary'\n", conf,
	               lab->primary.port),
	           err) &&
	    lab_write_file(lab, arena_printf(&lab->arena, "%s/pg_hba.conf", data),
	        arena_printf(&lab->arena, "%s%s", hba, lab->has_backup ? backup_hba() : ""), err);
}

bool
cluster_make_primary(struct lab *lab, struct error *err)
{
	const char *scratch = lab_path(lab, lab->scratch), *password = lab_path(lab, "password");
	const char *argv[] = { program(lab, "initdb"), "-D", scratch, "-U", "lab", "-A",
		"scram-sha-256", arena_printf(&lab->arena, "--pwfile=%s", password), "-E", "UTF8",
		"--locale=C", "--no-sync", "--data-checksums", NULL, NULL };
	size_t n = ARRAY_LEN(argv) - 2;

	if (strtol(lab->version, NULL, 10) >= 14)
		argv[n] = "--no-instructions";
	if (!lab_write_file(lab, "password", lab->password, err) ||
	    !run_program(lab, argv, NULL, err))
		return false;
	unlink(password);
	if (!configure(lab, lab->scratch, err))
		return false;
	lab->system_id = lab_system_id(lab, lab->scratch);
	if (!lab->system_id)
		return error_set(err, ERR_LAB, "initdb has left no control file in %s", scratch);
	if (!lab_write(lab, err))
		return false;
	if (rename(scratch, lab_path(lab, "primary")) < 0)
		return error_set(err, ERR_FILE, "cannot rename %s: %s", scratch, strerror(errno));
	return true;
}

/* Line `number` (from 1) of postmaster.pid; "" when it is not there yet. */
static const char *
pid_file_line(struct lab *lab, const char *data, int number)
{
	char text[1024];
	int fd = open(arena_printf(&lab->arena, "%s/%s/postmaster.pid", lab->dir, data),
	    O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	const char *line = text;

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = 0;
	while (--number > 0) {
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return arena_strndup(&lab->arena, line, strcspn(line, "\n"));
}

static void
keep_server_tail(struct lab *lab, const char *data)
{
	glob_t found;

	lab_keep_tail(lab, arena_printf(&lab->arena, "%s/log/%s.log", lab->dir, data));
	if (glob(arena_printf(&lab->arena, "%s/%s/log/*.log", lab->dir, data), 0, NULL, &found) !=
	    0)
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		lab_keep_tail(lab, found.gl_pathv[i]);
	globfree(&found);
}

static bool
wait_ready(struct lab *lab, const char *data, const struct lab_server *server, struct error *err)
{
	const struct timespec look = { .tv_nsec = LOOK_MS * 1000000L };
	struct mono begin = mono_now();

	while (proc_alive(server->pid, server->start)) {
		bool is_its = strtol(pid_file_line(lab, data, 1), NULL, 10) == (long)server->pid;

		if (is_its && strncmp(pid_file_line(lab, data, 8), "ready", 5) == 0)
			return true;
		if (lab->stop && *lab->stop)
			return error_set(err, ERR_STATE, "interrupted");
		if (mono_since_ms(mono_now(), begin) > START_MS) {
			keep_server_tail(lab, data);
			return error_set(err, ERR_TIMEOUT, "the %s is not ready after %d s", data,
			    START_MS / 1000);
		}
		nanosleep(&look, NULL);
	}
	keep_server_tail(lab, data);
	return error_set(err, ERR_PROGRAM, "the %s did not start", data);
}

/* What a server that did not start wrote may be something that another try mends; else err stays as
 * it is. */
static bool
mend_start(struct lab *lab, const char *data, struct lab_server *server, struct error *err)
{
	const char *conf = arena_printf(&lab->arena, "%s/postgresql.conf", data);

	/* Somebody took the port between our look and the server's. */
	if (strstr(lab->tail.buf, "Address already in use"))
		return cluster_free_port(lab, &server->port, err) &&
		    cluster_configure(
		        lab, conf, arena_printf(&lab->arena, "port = %d\n", server->port), err);
	/* In a package of its own on some systems. */
	if (lab->has_statements &&
	    strstr(lab->tail.buf, "could not access file \"pg_stat_statements\"")) {
		lab->has_statements = false;
		fprintf(stderr,
		    "pgmedic: pg_stat_statements is not installed: the lab goes without it\n"
		    "HINT: Install the package postgresql-contrib.\n");
		return cluster_configure(lab, conf, "shared_preload_libraries = ''\n", err);
	}
	return false;
}

bool
cluster_start(struct lab *lab, const char *data, struct lab_server *server, struct error *err)
{
	const char *dir = lab_path(lab, data);
	const char *argv[] = { program(lab, "postgres"), "-D", dir, NULL };
	const struct proc_spec spec = { .argv = argv,
		.env = lab_environment(lab, NULL),
		.dir = dir,
		.log = arena_printf(&lab->arena, "%s/log/%s.log", lab->dir, data) };

	for (int tries = 0;; tries++) {
		if (!proc_spawn(&spec, &server->pid, &server->start, err) || !lab_write(lab, err))
			return false;
		if (wait_ready(lab, data, server, err))
			return true;
		if (tries == 3 || !mend_start(lab, data, server, err))
			return false;
		strbuf_clear(&lab->tail);
		unlink(spec.log);
	}
}

static const char *
conninfo(struct lab *lab, const char *user, const char *more)
{
	return arena_printf(&lab->arena,
	    "host=127.0.0.1 port=%d user=%s sslmode=disable gssencmode=disable "
	    "connect_timeout=10 %s",
	    lab->primary.port, user, more);
}

bool
cluster_make_standby(struct lab *lab, struct error *err)
{
	const char *argv[] = { program(lab, "pg_basebackup"), "-D", lab_path(lab, "standby"), "-R",
		"-C", "-S", "standby1", "-X", "stream", "--checkpoint=fast", "--no-sync",
		"--no-manifest", "-d", conninfo(lab, "replicator", "application_name=standby1"),
		NULL };

	if (!run_program(lab, argv, NULL, err))
		return false;
	return cluster_configure(lab, "standby/postgresql.conf",
	           arena_printf(&lab->arena,
	               "\n%sport = %d\ncluster_name = 'pgmedic-lab/standby'\n",
	               lab->has_backup ? backup_standby_conf(lab) : "", lab->standby.port),
	           err) &&
	    cluster_start(lab, "standby", &lab->standby, err);
}

/* ---- SQL */

bool
cluster_psql_begin(struct lab *lab, struct proc *proc, const char *database,
    const char *const *files, struct error *err)
{
	const char *argv[24] = {
		program(lab, "psql"), "-X", "-q", "-w", "-v", "ON_ERROR_STOP=1", "-d",
		conninfo(lab, "lab",
		    arena_printf(&lab->arena, "dbname=%s application_name=pgmedic-lab", database))
	};
	const char *env[] = { arena_printf(&lab->arena, "PGPASSWORD=%s", lab->password), NULL };
	size_t n = 8;

	for (; *files && n + 3 < ARRAY_LEN(argv); files++) {
		const char *slash = strrchr(*files, '/'),
		           *name = arena_printf(&lab->arena, "sql/%s", slash ? slash + 1 : *files);

		if (!lab_write_file(lab, name, lab_fill(lab, *files, (char *)NULL), err))
			return false;
		argv[n++] = "-f";
		argv[n++] = lab_path(lab, name);
	}
	const struct proc_spec spec = { .argv = argv,
		.env = lab_environment(lab, env),
		.dir = lab->dir,
		.log = lab_path(lab, "log/psql.log"),
		.dies_with_us = true };

	return proc_start(proc, &spec, false, err);
}

bool
cluster_psql_end(struct lab *lab, struct proc *proc, struct error *err)
{
	char how[64];
	int status;

	if (!proc_wait(proc, PROGRAM_MS, lab->stop, NULL, &status, err))
		return error_prefix(err, "psql");
	if (status == 0)
		return true;
	lab_keep_tail(lab, lab_path(lab, "log/psql.log"));
	return error_set(err, ERR_PROGRAM, "the lab's data cannot be loaded: psql: %s",
	    proc_status_text(status, how, sizeof(how)));
}

bool
cluster_psql(struct lab *lab, const char *database, const char *const *files, struct error *err)
{
	struct proc proc;

	return cluster_psql_begin(lab, &proc, database, files, err) &&
	    cluster_psql_end(lab, &proc, err);
}
