#include "config.h"

#include "ops/local_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "base/conf.h"
#include "pg/heartbeat.h"

/* Of this process, which runs one job: the probe it has started. */
static pid_t probe_pid;

const char *
probe_run(struct op *op)
{
	return arena_printf(&op->arena, "drill-%lld", (long long)op->job);
}

const char *
probe_path(struct op *op)
{
	return path_state(
	    &op->arena, arena_printf(&op->arena, "drill-%lld.log", (long long)op->job));
}

static void
probe_main(const struct heartbeat_conf *conf, int fd, pid_t parent)
{
	/* The descriptors of the journal and of the job's lock are not ours: the lock says that the
	 * job lives. */
	if (dup2(fd, 3) < 0)
		_exit(1);
	for (int i = 4; i < 256; i++)
		close(i);
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, sig == SIGPIPE ? SIG_IGN : SIG_DFL);
#ifdef __linux__
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		_exit(1);
#endif
	if (getppid() != parent)
		_exit(0);
	heartbeat_loop(conf);
}

bool
probe_start(struct op *op, struct error *err)
{
	struct probe_log log = { 0 };
	struct heartbeat_conf conf = {
		.conninfo = op->target->conninfo,
		/* RDS has one name for both. */
		.other = op_provider_of(op->target) == PROVIDER_RDS || !op->target->standby ?
		    NULL :
		    op->target->standby->conninfo,
		.password = op->target->password,
		.run = probe_run(op),
		.first_seq = 1,
		.log_fd = 3,
	};
	pid_t parent = getpid();
	int fd;

	if (probe_pid && waitpid(probe_pid, NULL, WNOHANG) == 0)
		return true;
	probe_pid = 0;
	fd = open(probe_path(op), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return error_set(
		    err, ERR_FILE, "cannot write %s: %s", probe_path(op), strerror(errno));
	if (!probe_read(op, &log, err)) {
		close(fd);
		return false;
	}
	if (log.n)
		conf.first_seq = log.beats[log.n - 1].seq + 1;
	probe_log_release(&log);
	/* A beat that was under way when the last probe was killed has no line: its number is left
	 * out. */
	conf.first_seq += conf.first_seq > 1 ? 10 : 0;
	probe_pid = fork();
	if (probe_pid == 0) {
		probe_main(&conf, fd, parent);
		_exit(0);
	}
	close(fd);
	if (probe_pid > 0)
		return true;
	probe_pid = 0;
	return error_set(err, ERR_PROGRAM, "cannot start the probe: %s", strerror(errno));
}

void
probe_stop(void)
{
	if (!probe_pid)
		return;
	kill(probe_pid, SIGKILL);
	while (waitpid(probe_pid, NULL, 0) < 0 && errno == EINTR)
		;
	probe_pid = 0;
}

bool
probe_read(struct op *op, struct probe_log *log, struct error *err)
{
	FILE *f = fopen(probe_path(op), "re");
	char line[256];

	*log = (struct probe_log){ 0 };
	if (!f)
		return error_set(
		    err, ERR_FILE, "cannot read %s: %s", probe_path(op), strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		struct probe_beat b = { 0 };
		char what[8];
		long long seq, sent, ended, port = 0, started = 0;
		unsigned hi = 0, lo = 0;
		int n = sscanf(line, "%7s %lld %lld %lld %X/%X %lld %lld", what, &seq, &sent,
		    &ended, &hi, &lo, &port, &started);

		if (n < 4 || !strchr(line, '\n'))
			continue;
		b = (struct probe_beat){ what[0], seq, sent, ended, port, started,
			(uint64_t)hi << 32 | lo };
		GROW(log->beats, log->n, log->cap);
		log->beats[log->n++] = b;
	}
	fclose(f);
	return true;
}

void
probe_log_release(struct probe_log *log)
{
	free(log->beats);
	*log = (struct probe_log){ 0 };
}
