/*
 * Ending what the lab has started, and nothing else. A process is known by the pid and start time
 * in the marker, or by its working directory: PostgreSQL's processes stay in their data directory,
 * and what else the lab starts is started in a folder of the lab.
 */
#include "config.h"

#include "guide/lab_stop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <unistd.h>

#include "base/proc.h"

enum {
	FAST_S = 10, /* for `pg_ctl stop -m fast`, then immediate, then SIGKILL */
	IMMEDIATE_S = 5,
	END_MS = 2000, /* for a process between SIGQUIT or SIGTERM and SIGKILL */
};

static bool
runs_in(const struct proc_info *info, const char *comm, const char *dir)
{
	char cwd[4096];
	/* A program that was started through its own dynamic loader has the loader's name. */
	bool is_named = strcmp(info->comm, comm) == 0 || strncmp(info->comm, "ld-linux", 8) == 0;

	return is_named && proc_cwd(info->pid, cwd, sizeof(cwd)) && strcmp(cwd, dir) == 0;
}

/* postmaster.pid as it stands; also of a server that has been restarted by hand. */
static pid_t
pid_from_file(struct lab *lab, const char *data, long *shm_id)
{
	char text[1024];
	int fd = open(arena_printf(&lab->arena, "%s/%s/postmaster.pid", lab->dir, data),
	    O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	char *line = text;

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = 0;
	/* Line 7 is "key id" of the System V segment that guards the data directory. */
	for (int i = 1; i < 7 && line; i++) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	if (shm_id && (!line || sscanf(line, "%*s %ld", shm_id) != 1))
		*shm_id = -1;
	long pid = strtol(text, NULL, 10);

	return pid > 1 ? (pid_t)pid : 0;
}

pid_t
lab_server_pid(struct lab *lab, const char *data, const struct lab_server *server)
{
	struct proc_info info;
	pid_t pid;

	if (server->pid && server->start && proc_info(server->pid, &info) &&
	    info.start == server->start)
		return server->pid;
	pid = pid_from_file(lab, data, NULL);
	return pid && proc_info(pid, &info) && runs_in(&info, "postgres", lab_path(lab, data)) ?
	    pid :
	    0;
}

bool
lab_is_ours(struct lab *lab, struct error *err)
{
	static const char *const names[] = { "primary", "standby" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		uint64_t id = lab_system_id(lab, names[i]);

		if (id && id != lab->system_id) {
			error_set(err, ERR_REFUSED,
			    "%s/%s is not the cluster that this lab has made", lab->dir, names[i]);
			return error_hint(err, "Move it to another place, then run this again.");
		}
	}
	return true;
}

/* ---- frozen processes */

static bool
wake_child(const struct proc_info *info, void *arg)
{
	if (info->ppid == *(const pid_t *)arg)
		kill(info->pid, SIGCONT);
	return true;
}

static void
wake(pid_t pid)
{
	kill(pid, SIGCONT);
	proc_each(wake_child, &pid);
}

/* ---- ending by name and place */

struct ending {
	const char *comm, *dir;
	int n;
	struct {
		pid_t pid;
		uint64_t start;
	} found[128];
};

static bool
find_one(const struct proc_info *info, void *arg)
{
	struct ending *e = arg;

	if (runs_in(info, e->comm, e->dir)) {
		e->found[e->n].pid = info->pid;
		e->found[e->n++].start = info->start;
	}
	return e->n < (int)ARRAY_LEN(e->found);
}

void
lab_end_in(const char *comm, const char *dir, int sig)
{
	struct ending e = { .comm = comm, .dir = dir };

	/* Again while there are some: a program may have started another in the meantime. */
	for (int round = 0; round < 8; round++) {
		e.n = 0;
		proc_each(find_one, &e);
		for (int i = 0; i < e.n; i++) {
			kill(e.found[i].pid, sig);
			kill(e.found[i].pid, SIGCONT);
		}
		for (int i = 0; i < e.n; i++)
			if (!proc_wait_gone(e.found[i].pid, e.found[i].start, END_MS))
				kill(e.found[i].pid, SIGKILL);
		if (e.n == 0)
			return;
	}
}

int
lab_count_in(const char *comm, const char *dir)
{
	struct ending e = { .comm = comm, .dir = dir };

	proc_each(find_one, &e);
	return e.n;
}

/* ---- stopping */

static bool
pg_ctl_stop(struct lab *lab, const char *data, const char *mode, int seconds)
{
	const char *argv[] = { arena_printf(&lab->arena, "%s/pg_ctl", lab->bindir), "stop", "-D",
		lab_path(lab, data), "-m", mode, "-w", "-t",
		arena_printf(&lab->arena, "%d", seconds), NULL };
	const struct proc_spec spec = { .argv = argv,
		.env = lab_environment(lab, NULL),
		.dir = lab->dir,
		.log = lab_path(lab, "log/pg_ctl.log"),
		.dies_with_us = true };
	struct error ignored;

	return proc_run(&spec, (seconds + 5) * 1000, NULL, NULL, &ignored);
}

/* A postmaster that was killed leaves its System V segment; one that has ended does not. */
static void
remove_segment(long id, pid_t creator)
{
	struct shmid_ds ds;

	if (id >= 0 && creator && shmctl((int)id, IPC_STAT, &ds) == 0 && ds.shm_nattch == 0 &&
	    ds.shm_cpid == creator && ds.shm_perm.uid == geteuid())
		shmctl((int)id, IPC_RMID, NULL);
}

bool
lab_stop_server(
    struct lab *lab, const char *data, const struct lab_server *server, struct error *err)
{
	long segment = -1;
	pid_t written = pid_from_file(lab, data, &segment), pid = lab_server_pid(lab, data, server);
	struct proc_info info;

	if (pid && proc_info(pid, &info)) {
		wake(pid);
		if (written != pid || !pg_ctl_stop(lab, data, "fast", FAST_S) ||
		    proc_alive(pid, info.start)) {
			wake(pid);
			/* Without its pid file pg_ctl does not find it: SIGQUIT is what "immediate"
			 * sends. */
			if (written != pid || !pg_ctl_stop(lab, data, "immediate", IMMEDIATE_S))
				kill(pid, SIGQUIT);
		}
		if (!proc_wait_gone(pid, info.start, END_MS))
			kill(pid, SIGKILL);
		if (!proc_wait_gone(pid, info.start, END_MS))
			return error_set(
			    err, ERR_LAB, "the %s (pid %ld) does not end", data, (long)pid);
	}
	lab_end_in("postgres", lab_path(lab, data), SIGQUIT);
	remove_segment(segment, written);
	return true;
}
