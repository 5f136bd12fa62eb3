/* Programs of others: what they are given, how their end is told, and who they are. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/proc.h"

static char folder[] = "/tmp/proc_test.XXXXXX";

static bool
run_shell(const char *script, int timeout_ms, struct strbuf *out, struct error *err)
{
	const char *argv[] = { "sh", "-c", script, NULL };
	const struct proc_spec spec = { .argv = argv };

	return proc_run(&spec, timeout_ms, NULL, out, err);
}

static void
captures_output_and_errors(void **state)
{
	struct strbuf out = STRBUF_INIT(64);
	struct error err;

	(void)state;
	assert_true(run_shell("echo one; echo two >&2", 10000, &out, &err));
	assert_string_equal(out.buf, "one\ntwo\n");
	strbuf_release(&out);
}

static void
drops_what_passes_the_ceiling(void **state)
{
	struct strbuf out = STRBUF_INIT(100);
	struct error err;

	(void)state;
	assert_true(run_shell("i=0; while [ $i -lt 20000 ]; do echo 0123456789; i=$((i+1)); done",
	    60000, &out, &err));
	assert_int_equal(out.len, 100);
	assert_true(out.cut);
	strbuf_release(&out);
}

static void
tells_how_it_failed(void **state)
{
	struct strbuf out = STRBUF_INIT(1000);
	struct error err;

	(void)state;
	assert_false(run_shell("echo some; echo the reason; echo; exit 3", 10000, &out, &err));
	assert_int_equal(err.code, ERR_PROGRAM);
	assert_string_equal(err.what, "sh failed: exit status 3: the reason");
	strbuf_clear(&out);
	assert_false(run_shell("kill -9 $$", 10000, &out, &err));
	assert_string_equal(err.what, "sh failed: killed by signal 9 (Killed)");
	strbuf_release(&out);
}

static void
tells_what_cannot_start(void **state)
{
	const char *argv[] = { "no-such-program-at-all", NULL };
	const char *shell[] = { "sh", "-c", "exit 0", NULL };
	const struct proc_spec spec = { .argv = argv },
	                       nowhere = { .argv = shell, .dir = "/nonexistent/folder" };
	struct proc proc;
	struct error err;
	pid_t pid;

	(void)state;
	assert_false(proc_start(&proc, &spec, false, &err));
	assert_int_equal(err.code, ERR_PROGRAM);
	assert_non_null(strstr(err.what, "no-such-program-at-all"));
	assert_false(proc_start(&proc, &nowhere, false, &err));
	assert_non_null(strstr(err.what, "No such file"));
	assert_false(proc_spawn(&nowhere, &pid, NULL, &err));
	assert_non_null(strstr(err.what, "No such file"));
}

static void
ends_what_takes_too_long(void **state)
{
	struct mono begin = mono_now();
	struct error err;
	volatile sig_atomic_t stop = 1;
	const char *argv[] = { "sleep", "60", NULL };
	const struct proc_spec spec = { .argv = argv };

	(void)state;
	assert_false(run_shell("exec sleep 60", 100, NULL, &err));
	assert_int_equal(err.code, ERR_TIMEOUT);
	assert_false(proc_run(&spec, -1, &stop, NULL, &err));
	assert_int_equal(err.code, ERR_STATE);
	assert_true(mono_since_ms(mono_now(), begin) < 30000);
}

/* A script that hangs in another program does not leave that behind. */
static void
kills_what_it_started(void **state)
{
	struct strbuf out = STRBUF_INIT(100);
	struct proc_info info;
	struct error err;
	int pid = 0;

	(void)state;
	assert_false(run_shell("sleep 60 & echo $!; wait", 1000, &out, &err));
	assert_int_equal(err.code, ERR_TIMEOUT);
	assert_int_equal(sscanf(out.buf, "%d", &pid), 1);
	if (proc_info(pid, &info))
		assert_true(proc_wait_gone(pid, info.start, 10000));
	strbuf_release(&out);
}

/* No descriptor of ours, no input, a session of its own, the environment and folder that were asked
 * for. */
static void
isolates_the_child(void **state)
{
	static const char script[] =
	    "ls /proc/self/fd | tr '\\n' ' '; read -r x || echo eof; pwd; umask; env | grep -c . ; "
	    "cut -d' ' -f6 /proc/self/stat; echo $$";
	const char *argv[] = { "/bin/sh", "-c", script, NULL };
	const char *env[] = { "PATH=/usr/bin:/bin", "ONLY=this", NULL };
	const struct proc_spec spec = { .argv = argv, .env = env, .dir = folder };
	struct strbuf out = STRBUF_INIT(4000);
	struct error err;
	char name[256], pwd[256];
	int leak = dup(1), lines = 0, session = 0, pid = 0, variables = 0;
	unsigned mask = 0;

	(void)state;
	assert_true(leak > 2);
	assert_true(proc_run(&spec, 10000, NULL, &out, &err));
	lines = sscanf(out.buf, "0 1 2 3 %15s %255s %o %d %d %d", name, pwd, &mask, &variables,
	    &session, &pid);
	assert_int_equal(lines, 6);
	assert_string_equal(name, "eof");
	assert_string_equal(pwd, folder);
	assert_int_equal(mask, 077);
	assert_true(variables <= 4); /* ours, and what the shell itself adds: PWD, _ */
	assert_int_equal(session, pid);
	close(leak);
	strbuf_release(&out);
}

static void
spawned_is_nobodys_child(void **state)
{
	const char *argv[] = { "sleep", "60", NULL };
	char log[64];
	struct proc_info info, self;
	struct error err;
	uint64_t start;
	pid_t pid;

	(void)state;
	snprintf(log, sizeof(log), "%s/log", folder);
	const struct proc_spec spec = { .argv = argv, .dir = folder, .log = log };

	assert_true(proc_spawn(&spec, &pid, &start, &err));
	assert_true(proc_info(pid, &info));
	assert_true(info.start == start && start > 0);
	assert_int_not_equal(info.ppid, getpid());
	assert_true(waitpid(pid, NULL, WNOHANG) < 0);
	assert_true(proc_alive(pid, start));
	assert_false(proc_alive(pid, start + 1));
	assert_true(proc_info(getpid(), &self));
	assert_true(info.start >= self.start);

	char cwd[4096];

	assert_true(proc_cwd(pid, cwd, sizeof(cwd)));
	assert_string_equal(cwd, folder);
	assert_false(proc_wait_gone(pid, start, 50));
	kill(pid, SIGKILL);
	assert_true(proc_wait_gone(pid, start, 10000));
	assert_false(proc_alive(pid, start));
}

static void
a_zombie_is_not_alive(void **state)
{
	pid_t child = fork();
	struct proc_info info;

	(void)state;
	if (child == 0)
		_exit(0);
	while (proc_info(child, &info))
		;
	assert_false(proc_alive(child, 0));
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void
tail_is_the_last_lines(void **state)
{
	struct strbuf out = STRBUF_INIT(100000);
	char path[64], wanted[64];
	FILE *file;

	(void)state;
	snprintf(path, sizeof(path), "%s/tail", folder);
	file = fopen(path, "w");
	assert_non_null(file);
	for (int i = 0; i < 5000; i++)
		fprintf(file, "line %d\n", i);
	fclose(file);
	proc_tail(&out, path, 2, "> ");
	snprintf(wanted, sizeof(wanted), "> line 4998\n> line 4999\n");
	assert_string_equal(out.buf, wanted);
	strbuf_clear(&out);
	proc_tail(&out, path, 100000, "");
	assert_true(out.len > 8000 && out.len < 8400);
	strbuf_clear(&out);
	assert_int_equal(truncate(path, 0), 0);
	proc_tail(&out, path, 5, "> ");
	proc_tail(&out, "/nonexistent", 5, "> ");
	assert_int_equal(out.len, 0);
	strbuf_release(&out);
}

/* Also to what it starts, again and again; and without one there is no such file. */
static void
hands_over_a_secret(void **state)
{
	const char *const argv[] = { "/bin/sh", "-c",
		"cat " PROC_SECRET_FILE "; sh -c 'cat " PROC_SECRET_FILE "'; env", NULL };
	const char *const env[] = { "PATH=/usr/bin:/bin", NULL };
	struct proc_spec spec = { .argv = argv, .env = env, .secret = "geheim\n" };
	struct strbuf out = STRBUF_INIT(10000);
	struct error err;

	(void)state;
	assert_true(proc_run(&spec, 10000, NULL, &out, &err));
	assert_memory_equal(out.buf, "geheim\ngeheim\n", 14);
	assert_null(strstr(out.buf + 14, "geheim"));
	strbuf_clear(&out);
	assert_true(run_shell("[ -e " PROC_SECRET_FILE " ] || echo none", 10000, &out, &err));
	assert_string_equal(out.buf, "none\n");
	strbuf_release(&out);
}

static void
others_get_no_secret(void **state)
{
	static const char *const aws[] = { "AWS_", NULL };
	struct arena arena = { 0 };
	const char *const *env;
	bool has_path = false, has_aws = false;

	(void)state;
	setenv("PGPASSWORD", "geheim", 1);
	setenv("AWS_SESSION_TOKEN", "geheim", 1);
	setenv("PGBACKREST_REPO1_CIPHER_PASS", "geheim", 1);
	setenv("PGBACKREST_REPO1_S3_KEY_SECRET", "geheim", 1);
	setenv("PGBACKREST_REPO1_PATH", "/my_KEY", 1);
	env = proc_env_public(&arena, NULL);
	for (int i = 0; env[i]; i++) {
		assert_null(strstr(env[i], "geheim"));
		has_path |= strcmp(env[i], "PGBACKREST_REPO1_PATH=/my_KEY") == 0;
	}
	assert_true(has_path);
	env = proc_env_public(&arena, aws);
	for (int i = 0; env[i]; i++)
		has_aws |= strcmp(env[i], "AWS_SESSION_TOKEN=geheim") == 0;
	assert_true(has_aws);
	arena_release(&arena);
}

static bool
see(const struct proc_info *info, void *arg)
{
	if (info->pid == getpid())
		*(bool *)arg = true;
	return true;
}

static void
each_finds_us(void **state)
{
	bool seen = false;

	(void)state;
	proc_each(see, &seen);
	assert_true(seen);
}

static int
make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int
remove_folder(void **state)
{
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "%s/log", folder);
	unlink(path);
	snprintf(path, sizeof(path), "%s/tail", folder);
	unlink(path);
	return rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(captures_output_and_errors),
		cmocka_unit_test(drops_what_passes_the_ceiling),
		cmocka_unit_test(tells_how_it_failed),
		cmocka_unit_test(tells_what_cannot_start),
		cmocka_unit_test(ends_what_takes_too_long),
		cmocka_unit_test(kills_what_it_started),
		cmocka_unit_test(isolates_the_child),
		cmocka_unit_test(spawned_is_nobodys_child),
		cmocka_unit_test(a_zombie_is_not_alive),
		cmocka_unit_test(tail_is_the_last_lines),
		cmocka_unit_test(each_finds_us),
		cmocka_unit_test(hands_over_a_secret),
		cmocka_unit_test(others_get_no_secret),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
