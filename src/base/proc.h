/*
 * Other programs: run one and wait, or leave one running; never through a shell. A child gets
 * /dev/null as its input unless told otherwise, a session of its own (no terminal, no key of ours
 * reaches it), default signals, umask 077 and no other descriptor of ours. Any thread may start
 * programs.
 */
#ifndef PGMEDIC_BASE_PROC_H
#define PGMEDIC_BASE_PROC_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compat.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/strbuf.h"

/* For what is in no environment, argument or disk: libpq, for one, reads its password file there.
 */
#ifdef __linux__
#define PROC_SECRET_FOLDER "/proc/self/fd/"
#else
#define PROC_SECRET_FOLDER "/dev/fd/"
#endif
#define PROC_SECRET_FILE PROC_SECRET_FOLDER "4"

struct proc_spec {
	const char *const
	    *argv; /* NULL-terminated; argv[0] with a slash, or looked up by proc_find() */
	const char *const
	    *env;          /* the whole environment "NAME=value", NULL-terminated; NULL: ours */
	const char *dir;   /* working directory; NULL: ours */
	const char *input; /* what it reads on its standard input; NULL: nothing, /dev/null */
	const char
	    *secret; /* what is in PROC_SECRET_FILE for it and its children; NULL: no such file */
	const char *log;   /* output and errors are appended here (0600); NULL: thrown away */
	bool dies_with_us; /* is killed when the thread that started it ends (Linux) */
	int grace_ms;      /* when it is to stop: asked (SIGTERM) so long before it is killed */
	bool drops_user;   /* to uid and gid below, with no other groups */
	uid_t uid;
	gid_t gid;
};

struct proc {
	pid_t pid;  /* 0: not running, or waited for */
	int pid_fd; /* readable when it has ended; -1 where the system has none */
	int out_fd; /* its output when captured, else -1 */
	int grace_ms;
};

/* The path of a program: PATH, then the system folders that users often lack (/usr/sbin, ...).
 * NULL: none. */
const char *proc_find(struct arena *arena, const char *name);

/*
 * Our environment without what is not a tool's business: no password, no key of ours. Kept are the
 * path, home, locale, time zone, and names that begin with one of `also` (NULL-terminated; may be
 * NULL). In the arena.
 */
const char *const *proc_env(struct arena *arena, const char *const *also);

/*
 * Our environment for a program that the user names: all but the secrets that are meant for us
 * (PGPASSWORD, AWS's keys and tokens, passwords and keys of pgBackRest), unless their names begin
 * with one of `also` (NULL-terminated; may be NULL). In the arena.
 */
const char *const *proc_env_public(struct arena *arena, const char *const *also);
/* Is "NAME=value" one of those secrets? */
bool proc_env_is_secret(const char *entry);
/*
 * The number of a file without a name, as PROC_SECRET_FILE is (close-on-exec is set); -1 and errno.
 * uid, gid: of who may read it, where they are not (uid_t)-1.
 */
int proc_secret_fd(const char *text, uid_t uid, gid_t gid);

/* Start a program. With `captured`, its output and errors are for proc_wait() instead of spec->log.
 */
bool proc_start(
    struct proc *proc, const struct proc_spec *spec, bool captured, struct error *err) MUST_CHECK;
/* Has the flag been raised? It may be by another thread. NULL: never. */
static inline bool
stop_asked(const volatile sig_atomic_t *stop)
{
	return stop && __atomic_load_n(stop, __ATOMIC_RELAXED) != 0;
}

/*
 * Wait for it to end. After timeout_ms (< 0: never), or when *stop (may be NULL) becomes true, it
 * is killed with what it started, and waited for, and the answer is false (ERR_TIMEOUT, ERR_STATE).
 * out     captured output is appended up to its ceiling, the rest is read and dropped; may be NULL
 * status  out: as of waitpid(2)
 */
bool proc_wait(struct proc *proc, int timeout_ms, const volatile sig_atomic_t *stop,
    struct strbuf *out, int *status, struct error *err) MUST_CHECK;
/*
 * Start, wait, and demand exit status 0: else ERR_PROGRAM "initdb failed: exit status 1: LAST
 * LINE", the last line coming from `out`, or from the end of spec->log.
 */
bool proc_run(const struct proc_spec *spec, int timeout_ms, const volatile sig_atomic_t *stop,
    struct strbuf *out, struct error *err) MUST_CHECK;
/* Start a program that outlives us and is nobody's child. start: see struct proc_info; may be NULL.
 */
bool proc_spawn(
    const struct proc_spec *spec, pid_t *pid, uint64_t *start, struct error *err) MUST_CHECK;
/* "exit status 1", "killed by signal 9 (Killed)". */
const char *proc_status_text(int status, char *buf, size_t size);
/* Append the last lines of a file (at most `lines`, 8 kB), each after `indent`; nothing when it
 * cannot be read. */
void proc_tail(struct strbuf *out, const char *path, int lines, const char *indent);

/* What the system says of a process; a pid with its start time is an identity, a pid alone is not.
 */
struct proc_info {
	pid_t pid, ppid;
	char state;     /* R, S, D, T, Z, ...; '?' unknown */
	uint64_t start; /* clock ticks since boot (field 22 of /proc/PID/stat); 0 unknown */
	char comm[32];  /* name of the program, cut by the system */
};

/* False when there is no such process, or it has ended and waits for its parent. */
bool proc_info(pid_t pid, struct proc_info *info);
/* Is the process that had this pid and start time still there? A start of 0 matches any. */
bool proc_alive(pid_t pid, uint64_t start);
/* Its working directory, without a link and without " (deleted)". False: not ours to see. */
bool proc_cwd(pid_t pid, char *buf, size_t size);
/* Is that the program's name, whichever loader has started it? False: not ours to see. */
bool proc_is_program(pid_t pid, const char *name);
/* Is it attached to shared memory of System V? Each process of a PostgreSQL server is. */
bool proc_has_shared_memory(pid_t pid);
/* Call f for each process until it returns false. */
void proc_each(bool (*f)(const struct proc_info *info, void *arg), void *arg);
/* Wait until it has gone: true; false after timeout_ms. Not for a child: see proc_wait(). */
bool proc_wait_gone(pid_t pid, uint64_t start, int timeout_ms);

#endif
