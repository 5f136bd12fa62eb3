/* PgBouncer in the lab: started in the foreground, detached, in a folder of its own. */
#include "config.h"

#include "guide/lab_pool.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/proc.h"
#include "guide/lab_cluster.h"
#include "guide/lab_stop.h"

enum {
	START_MS = 15000,
	LOOK_MS = 5,
	SAFE_MS = 1500, /* SIGINT waits for queries that run; then it is told to go at once */
};

const char *
pool_program(struct lab *lab)
{
	return proc_find(&lab->arena, "pgbouncer");
}

static bool
accepts(int port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok = fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

static bool
write_files(struct lab *lab, struct error *err)
{
	const char *port = arena_printf(&lab->arena, "%d", lab->pool_port);
	const char *primary = arena_printf(&lab->arena, "%d", lab->primary.port);
	const char *reads = arena_printf(
	    &lab->arena, "%d", lab->standby.port ? lab->standby.port : lab->primary.port);
	const char *users = arena_printf(&lab->arena,
	    "\"lab\" \"%s\"\n\"app\" \"\"\n\"report\" \"\"\n\"dba\" \"\"\n", lab->password);
	const char *ini = lab_fill(lab, "guide/lab_pgbouncer.ini", "PORT", port, "PRIMARY_PORT",
	    primary, "READ_PORT", reads, "DIR", lab_path(lab, "pgbouncer"), (char *)NULL);

	return lab_make_dir(lab, "pgbouncer", err) &&
	    lab_write_file(lab, "pgbouncer/users.txt", users, err) &&
	    lab_write_file(lab, "pgbouncer/hba.conf",
	        lab_fill(lab, "guide/lab_bouncer_hba.conf", (char *)NULL), err) &&
	    lab_write_file(lab, "pgbouncer/pgbouncer.ini", ini, err);
}

/* Up when it listens and has written its pid file; `true` with *up false when it has ended. */
static bool
wait_up(struct lab *lab, pid_t pid, uint64_t start, bool *up, struct error *err)
{
	const struct timespec look = { .tv_nsec = LOOK_MS * 1000000L };
	struct mono begin = mono_now();

	*up = false;
	while (proc_alive(pid, start)) {
		if (accepts(lab->pool_port) && pool_pid(lab) == pid) {
			*up = true;
			return true;
		}
		if (lab->stop && *lab->stop)
			return error_set(err, ERR_STATE, "interrupted");
		if (mono_since_ms(mono_now(), begin) > START_MS)
			return error_set(
			    err, ERR_TIMEOUT, "pgbouncer is not ready after %d s", START_MS / 1000);
		nanosleep(&look, NULL);
	}
	return true;
}

bool
pool_start(struct lab *lab, const char *program, struct error *err)
{
	const char *argv[] = { program, "-q", lab_path(lab, "pgbouncer/pgbouncer.ini"), NULL };
	const struct proc_spec spec = { .argv = argv,
		.env = lab_environment(lab, NULL),
		.dir = lab_path(lab, "pgbouncer"),
		.log = lab_path(lab, "log/pgbouncer.log") };

	for (int tries = 0; tries < 4; tries++) {
		uint64_t start;
		pid_t pid;
		bool up;

		if (!write_files(lab, err) || !proc_spawn(&spec, &pid, &start, err) ||
		    !wait_up(lab, pid, start, &up, err))
			return false;
		if (up)
			return true;
		/* Most likely somebody took the port in the meantime. */
		lab->pool_port = 0;
		if (!cluster_free_port(lab, &lab->pool_port, err) || !lab_write(lab, err))
			return false;
	}
	lab_keep_tail(lab, lab_path(lab, "pgbouncer/pgbouncer.log"));
	lab_keep_tail(lab, spec.log);
	return error_set(err, ERR_PROGRAM, "pgbouncer did not start");
}

pid_t
pool_pid(struct lab *lab)
{
	char text[64], cwd[4096];
	struct proc_info info;
	int fd = open(lab_path(lab, "pgbouncer/pgbouncer.pid"),
	    O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = 0;
	pid_t pid = (pid_t)strtol(text, NULL, 10);
	bool is_its = pid > 1 && proc_info(pid, &info) && strcmp(info.comm, "pgbouncer") == 0 &&
	    proc_cwd(pid, cwd, sizeof(cwd)) && strcmp(cwd, lab_path(lab, "pgbouncer")) == 0;

	return is_its ? pid : 0;
}

void
pool_stop(struct lab *lab)
{
	pid_t pid = pool_pid(lab);
	struct proc_info info;

	if (pid && proc_info(pid, &info)) {
		kill(pid, SIGINT);
		kill(pid, SIGCONT);
		proc_wait_gone(pid, info.start, SAFE_MS);
	}
	lab_end_in("pgbouncer", lab_path(lab, "pgbouncer"), SIGQUIT);
}
