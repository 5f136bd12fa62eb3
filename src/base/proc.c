/*
 * Programs of others. Everything the child needs is prepared before fork(): in a program with
 * threads the child may only make system calls until it has become the other program.
 *
 * A failed execve() is told through a pipe that a successful one closes, so the caller learns "no
 * such file" and not just "exit status 127".
 */
#include "config.h"

#include "base/proc.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

#include "base/clock.h"

extern char **environ;

/* Where an ordinary user's PATH does not lead, but pgbouncer and others live. */
static const char *const extra_path =
    "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin";

static const char *
find_in(struct arena *arena, const char *path, const char *name)
{
	while (path && *path) {
		size_t len = strcspn(path, ":");
		struct stat st;
		const char *file = arena_printf(arena, "%.*s/%s", (int)len, path, name);

		if (len && path[0] == '/' && stat(file, &st) == 0 && S_ISREG(st.st_mode) &&
		    access(file, X_OK) == 0)
			return file;
		path += len + (path[len] == ':');
	}
	return NULL;
}

const char *
proc_find(struct arena *arena, const char *name)
{
	if (strchr(name, '/'))
		return access(name, X_OK) == 0 ? arena_strdup(arena, name) : NULL;
	const char *file = find_in(arena, getenv("PATH"), name);

	return file ? file : find_in(arena, extra_path, name);
}

/* PROC_SECRET_FILE: 0, 1, 2 are its own, 3 tells us what failed. */
enum { SECRET_FD = 4 };

/* Everything the child does between fork and exec, with the descriptors it needs. */
struct launch {
	const struct proc_spec *spec;
	const char *path;
	int null_fd, in_fd, out_fd; /* the last two become 0 and 1, 2 */
	int secret_fd;              /* becomes SECRET_FD; -1: none */
	int tell_fd;                /* errno of what failed */
	pid_t parent;
};

static void
close_from(int first)
{
#if defined(__linux__) && defined(SYS_close_range)
	if (syscall(SYS_close_range, (unsigned)first, ~0U, 0U) == 0)
		return;
#endif
	long max = sysconf(_SC_OPEN_MAX);

	for (int fd = first; fd < (max > 0 && max < 65536 ? max : 65536); fd++)
		close(fd);
}

static void
default_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool
drop_user(const struct proc_spec *spec)
{
	if (!spec->drops_user)
		return true;
	return (geteuid() != 0 || setgroups(0, NULL) == 0) && setgid(spec->gid) == 0 &&
	    setuid(spec->uid) == 0;
}

/* In the child; returns only when something failed, with errno set. */
static void
launch_child(struct launch *l)
{
	const struct proc_spec *spec = l->spec;

	default_signals();
	setsid();
	umask(077);
	if (dup2(l->in_fd, 0) < 0 || dup2(l->out_fd, 1) < 0 || dup2(l->out_fd, 2) < 0)
		return;
	if (dup3(l->tell_fd, 3, O_CLOEXEC) < 0)
		return;
	l->tell_fd = 3;
	if (l->secret_fd >= 0 && dup2(l->secret_fd, SECRET_FD) < 0)
		return;
	close_from(l->secret_fd >= 0 ? SECRET_FD + 1 : SECRET_FD);
	if (!drop_user(spec) || (spec->dir && chdir(spec->dir) < 0))
		return;
#ifdef __linux__
	/* After the change of user, which clears it. The parent may have gone before the call. */
	if (spec->dies_with_us && (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != l->parent))
		return;
#endif
	execve(l->path, (char *const *)spec->argv, spec->env ? (char *const *)spec->env : environ);
}

/* The first numbers are taken in the child: keep what it needs above them. */
static int
above(int fd)
{
	if (fd < 0 || fd > SECRET_FD)
		return fd;
	int up = fcntl(fd, F_DUPFD_CLOEXEC, SECRET_FD + 1);

	close(fd);
	return up;
}

static int
open_pid_fd(pid_t pid)
{
#if defined(__linux__) && defined(SYS_pidfd_open)
	return (int)syscall(SYS_pidfd_open, pid, 0);
#else
	(void)pid;
	return -1;
#endif
}

/* What the child says in the pipe: the pid of a grandchild, then an errno if exec failed. */
struct tell {
	pid_t pid;
	int error;
};

static void
tell_error(int fd)
{
	struct tell t = { .error = errno ? errno : ECHILD };

	if (write(fd, &t, sizeof(t)) != (ssize_t)sizeof(t))
		_exit(126);
	_exit(127);
}

static void
child_main(struct launch *l, bool detached)
{
	if (detached) {
		pid_t pid = fork();
		struct tell t = { .pid = pid };

		if (pid < 0)
			tell_error(l->tell_fd);
		if (pid > 0)
			_exit(write(l->tell_fd, &t, sizeof(t)) == (ssize_t)sizeof(t) ? 0 : 126);
	}
	launch_child(l);
	tell_error(l->tell_fd);
}

static bool
fork_launch(struct launch *l, bool detached, pid_t *pid, struct error *err)
{
	int tell[2], failed = 0;
	struct tell t;

	if (pipe2(tell, O_CLOEXEC) < 0)
		return error_set(
		    err, ERR_PROGRAM, "cannot start %s: %s", l->spec->argv[0], strerror(errno));
	l->tell_fd = tell[1] = above(tell[1]);
	if (tell[1] < 0) {
		error_set(
		    err, ERR_PROGRAM, "cannot start %s: %s", l->spec->argv[0], strerror(errno));
		close(tell[0]);
		return false;
	}
	l->parent = getpid();
	*pid = fork();
	if (*pid == 0)
		child_main(l, detached);
	failed = *pid < 0 ? errno : 0;
	close(tell[1]);
	pid_t child = *pid;
	ssize_t n;

	do {
		n = failed ? 0 : read(tell[0], &t, sizeof(t));
		if (n == (ssize_t)sizeof(t) && t.error)
			failed = t.error;
		else if (n == (ssize_t)sizeof(t))
			*pid = t.pid;
	} while (n > 0 || (n < 0 && errno == EINTR));
	close(tell[0]);
	if (child > 0 && (detached || failed))
		while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
			;
	if (failed)
		return error_set(
		    err, ERR_PROGRAM, "cannot start %s: %s", l->path, strerror(failed));
	return true;
}

/* A file without a name that holds the text, to be read from its beginning: unlike a pipe it never
 * makes anybody wait. -1 and errno. */
static int
input_fd(const char *text)
{
	size_t len = strlen(text);
	FILE *f = tmpfile();
	int fd = -1;

	if (!f)
		return -1;
	if (fwrite(text, 1, len, f) == len && fflush(f) == 0 && lseek(fileno(f), 0, SEEK_SET) == 0)
		fd = fcntl(fileno(f), F_DUPFD_CLOEXEC, SECRET_FD + 1);
	fclose(f);
	return fd;
}

static int
new_secret_file(void)
{
#ifdef __linux__
	return memfd_create("pgmedic", MFD_CLOEXEC);
#else
	FILE *f = tmpfile();
	int fd = f ? fcntl(fileno(f), F_DUPFD_CLOEXEC, SECRET_FD + 1) : -1;

	if (f)
		fclose(f);
	return fd;
#endif
}

int
proc_secret_fd(const char *text, uid_t uid, gid_t gid)
{
	int fd = above(new_secret_file());
	size_t len = strlen(text);
	bool ok = fd >= 0 && write(fd, text, len) == (ssize_t)len && fchmod(fd, 0400) == 0 &&
	    (uid == (uid_t)-1 || fchown(fd, uid, gid) == 0) && lseek(fd, 0, SEEK_SET) == 0;

	if (ok || fd < 0)
		return fd;
	int failed = errno;

	close(fd);
	errno = failed;
	return -1;
}

static bool
launch(const struct proc_spec *spec, int out_fd, bool detached, pid_t *pid, struct error *err)
{
	struct arena arena = { 0 };
	struct launch l = { .spec = spec,
		.path = proc_find(&arena, spec->argv[0]),
		.null_fd = -1,
		.in_fd = -1,
		.out_fd = -1,
		.secret_fd = -1 };
	bool ok = false;

	if (!l.path) {
		error_set(
		    err, ERR_PROGRAM, "cannot start %s: there is no such program", spec->argv[0]);
		goto out;
	}
	l.null_fd = above(open("/dev/null", O_RDWR | O_CLOEXEC));
	if (out_fd >= 0)
		l.out_fd = fcntl(out_fd, F_DUPFD_CLOEXEC, SECRET_FD + 1);
	else if (spec->log)
		l.out_fd = above(
		    open(spec->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
	else
		l.out_fd = l.null_fd;
	l.in_fd = spec->input ? input_fd(spec->input) : l.null_fd;
	if (l.null_fd >= 0 && l.in_fd < 0) {
		error_set(err, ERR_FILE, "cannot keep the input of %s: %s", spec->argv[0],
		    strerror(errno));
		goto out;
	}
	if (spec->secret)
		l.secret_fd = proc_secret_fd(
		    spec->secret, spec->drops_user ? spec->uid : (uid_t)-1, spec->gid);
	if (spec->secret && l.secret_fd < 0) {
		error_set(err, ERR_FILE, "cannot keep the password of %s: %s", spec->argv[0],
		    strerror(errno));
		goto out;
	}
	if (l.null_fd < 0 || l.out_fd < 0) {
		error_set(err, ERR_FILE, "cannot open %s: %s",
		    l.null_fd < 0 ? "/dev/null" : spec->log, strerror(errno));
		goto out;
	}
	ok = fork_launch(&l, detached, pid, err);
out:
	if (l.out_fd >= 0 && l.out_fd != l.null_fd)
		close(l.out_fd);
	if (l.in_fd >= 0 && l.in_fd != l.null_fd)
		close(l.in_fd);
	if (l.secret_fd >= 0)
		close(l.secret_fd);
	if (l.null_fd >= 0)
		close(l.null_fd);
	arena_release(&arena);
	return ok;
}

bool
proc_start(struct proc *proc, const struct proc_spec *spec, bool captured, struct error *err)
{
	int out[2] = { -1, -1 };

	*proc = (struct proc){ .pid_fd = -1, .out_fd = -1, .grace_ms = spec->grace_ms };
	if (captured && pipe2(out, O_CLOEXEC) < 0)
		return error_set(
		    err, ERR_PROGRAM, "cannot start %s: %s", spec->argv[0], strerror(errno));
	bool ok = launch(spec, out[1], false, &proc->pid, err);

	if (out[1] >= 0)
		close(out[1]);
	if (!ok) {
		if (out[0] >= 0)
			close(out[0]);
		proc->pid = 0;
		return false;
	}
	if (out[0] >= 0)
		fcntl(out[0], F_SETFL, O_NONBLOCK);
	proc->out_fd = out[0];
	proc->pid_fd = open_pid_fd(proc->pid);
	return true;
}

/* Take what is there; closes the pipe at its end. */
static void
read_output(struct proc *proc, struct strbuf *out)
{
	char buf[4096];
	ssize_t n = 0;

	while (proc->out_fd >= 0 && (n = read(proc->out_fd, buf, sizeof(buf))) > 0)
		if (out)
			strbuf_add(out, buf, (size_t)n);
	if (proc->out_fd >= 0 && (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))) {
		close(proc->out_fd);
		proc->out_fd = -1;
	}
}

static bool
reap(struct proc *proc, int flags, int *status)
{
	pid_t got;

	do
		got = waitpid(proc->pid, status, flags);
	while (got < 0 && errno == EINTR);
	if (got == 0)
		return false;
	if (got < 0)
		*status = 0; /* somebody else waited: there is nothing to know */
	proc->pid = 0;
	if (proc->pid_fd >= 0)
		close(proc->pid_fd);
	proc->pid_fd = -1;
	return true;
}

/* It leads a group of its own: what it started goes with it. First it is asked, where it was given
 * the time for that. */
static void
end_group(struct proc *proc, struct strbuf *out, int *status)
{
	struct mono begin = mono_now();
	pid_t group = proc->pid;

	if (proc->grace_ms > 0)
		kill(-group, SIGTERM);
	while (proc->grace_ms > 0 && mono_since_ms(mono_now(), begin) < proc->grace_ms) {
		struct pollfd end = { .fd = proc->out_fd, .events = POLLIN };

		if (reap(proc, WNOHANG, status))
			break;
		poll(&end, 1, 20);
		read_output(proc, out);
	}
	kill(-group, SIGKILL);
	if (proc->pid > 0)
		reap(proc, 0, status);
}

bool
proc_wait(struct proc *proc, int timeout_ms, const volatile sig_atomic_t *stop, struct strbuf *out,
    int *status, struct error *err)
{
	struct mono begin = mono_now();
	bool ok = true;

	*status = 0;
	while (!reap(proc, WNOHANG, status)) {
		int64_t spent = mono_since_ms(mono_now(), begin);

		if (stop_asked(stop) || (timeout_ms >= 0 && spent >= timeout_ms)) {
			ok = stop_asked(stop) ?
			    error_set(err, ERR_STATE, "interrupted") :
			    error_set(err, ERR_TIMEOUT, "no end after %d s", timeout_ms / 1000);
			end_group(proc, out, status);
			break;
		}
		/* A signal that sets *stop may come just before poll(): look again soon enough. */
		int left =
		    timeout_ms < 0 || timeout_ms - spent > 50 ? 50 : (int)(timeout_ms - spent);
		struct pollfd fds[2] = { { .fd = proc->pid_fd, .events = POLLIN },
			{ .fd = proc->out_fd, .events = POLLIN } };

		poll(fds, 2, proc->pid_fd < 0 && left > 10 ? 10 : left);
		read_output(proc, out);
	}
	read_output(proc, out);
	if (proc->out_fd >= 0)
		close(proc->out_fd);
	proc->out_fd = -1;
	return ok;
}

const char *
proc_status_text(int status, char *buf, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(buf, size, "killed by signal %d (%s)", WTERMSIG(status),
		    strsignal(WTERMSIG(status)));
	else
		snprintf(buf, size, "exit status %d", WEXITSTATUS(status));
	return buf;
}

/* The last line that is not blank, in place. */
static const char *
last_line(char *s)
{
	size_t len = strlen(s);

	while (len && isspace((unsigned char)s[len - 1]))
		s[--len] = 0;
	char *nl = strrchr(s, '\n');

	return nl ? nl + 1 : s;
}

bool
proc_run(const struct proc_spec *spec, int timeout_ms, const volatile sig_atomic_t *stop,
    struct strbuf *out, struct error *err)
{
	struct strbuf tail;
	struct proc proc;
	const char *slash = strrchr(spec->argv[0], '/'), *name = slash ? slash + 1 : spec->argv[0];
	char how[64];
	int status;

	if (!proc_start(&proc, spec, out != NULL, err))
		return false;
	if (!proc_wait(&proc, timeout_ms, stop, out, &status, err))
		return error_prefix(err, "%s", name);
	if (status == 0)
		return true;
	strbuf_init(&tail, 8192);
	if (out)
		strbuf_adds(&tail, out->buf);
	else if (spec->log)
		proc_tail(&tail, spec->log, 1, "");
	const char *last = tail.len ? last_line(tail.buf) : "";

	error_set(err, ERR_PROGRAM, "%s failed: %s%s%s", name,
	    proc_status_text(status, how, sizeof(how)), *last ? ": " : "", last);
	strbuf_release(&tail);
	return false;
}

bool
proc_spawn(const struct proc_spec *spec, pid_t *pid, uint64_t *start, struct error *err)
{
	struct proc_info info;

	if (!launch(spec, -1, true, pid, err))
		return false;
	if (start)
		*start = proc_info(*pid, &info) ? info.start : 0;
	return true;
}

void
proc_tail(struct strbuf *out, const char *path, int lines, const char *indent)
{
	char buf[8193];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
	ssize_t n = -1;

	if (fd >= 0) {
		n = pread(fd, buf, sizeof(buf) - 1,
		    size > (off_t)sizeof(buf) - 1 ? size - (off_t)sizeof(buf) + 1 : 0);
		close(fd);
	}
	while (n > 0 && buf[n - 1] == '\n')
		n--;
	if (n <= 0)
		return;
	buf[n] = 0;
	char *at = buf + n;

	while (at > buf && !(at[-1] == '\n' && --lines == 0))
		at--;
	while (*at) {
		size_t len = strcspn(at, "\n");

		strbuf_addf(out, "%s%.*s\n", indent, (int)len, at);
		at += len + (at[len] == '\n');
	}
}

bool
proc_wait_gone(pid_t pid, uint64_t start, int timeout_ms)
{
	struct mono begin = mono_now();
	int fd = open_pid_fd(pid);
	bool alive;

	while ((alive = proc_alive(pid, start))) {
		int64_t left = timeout_ms - mono_since_ms(mono_now(), begin);

		if (left <= 0)
			break;
		/* A process descriptor wakes at its end; without one, look every 10 ms. */
		struct pollfd end = { .fd = fd, .events = POLLIN };

		poll(&end, 1, fd < 0 && left > 10 ? 10 : (int)left);
		if (fd >= 0 && end.revents)
			break;
	}
	if (fd >= 0)
		close(fd);
	return !proc_alive(pid, start);
}
