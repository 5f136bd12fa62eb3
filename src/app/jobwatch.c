#include "config.h"

#include "app/jobwatch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/actlog.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "store/jobs.h"

enum { MAX_JOBS = 32, EVERY_MS = 500, LINE = 400 };

/* What the thread tells: smaller than PIPE_BUF, so it arrives whole. */
struct ended {
	enum role role;
	char line[LINE];
};

struct jobwatch {
	pthread_t thread;
	bool is_running;
	int orders[2]; /* ids to the thread; closed: it ends */
	int told[2];
	const char *const *targets; /* to greet for; read by the thread at its start */
	int ntargets;
};

struct jobwatch *
jobwatch_new(void)
{
	struct jobwatch *w = xcalloc(1, sizeof(*w));

	w->orders[0] = w->orders[1] = w->told[0] = w->told[1] = -1;
	return w;
}

/* The first line of how it ended. */
static void
tell(const struct jobwatch *w, const struct journal_act *a)
{
	struct ended e = { .role = a->state == JOURNAL_DONE ? ROLE_OK : ROLE_CRIT };

	snprintf(e.line, sizeof(e.line), "job %lld %s: %.*s", (long long)a->id,
	    journal_state_names[a->state], (int)strcspn(a->detail, "\n"), a->detail);
	if (write(w->told[1], &e, sizeof(e)) < 0)
		log_warn("jobwatch", "%s", strerror(errno));
}

/* Tell of those that have ended; returns how many are left. */
static int
look(const struct jobwatch *w, int64_t *ids, int n)
{
	struct arena arena = { 0 };
	struct error err = { 0 };
	struct journal *j = journal_open(&err);
	int left = 0;

	if (j)
		jobs_mark_lost(j);
	for (int i = 0; i < n; i++) {
		struct journal_act a;

		if (!j || !journal_get(j, ids[i], &arena, &a, &err) || !a.finished_at.us)
			ids[left++] = ids[i];
		else
			tell(w, &a);
	}
	journal_close(j);
	arena_release(&arena);
	return left;
}

static bool
is_ours(const struct jobwatch *w, const char *target)
{
	for (int i = 0; i < w->ntargets; i++)
		if (strcmp(w->targets[i], target) == 0)
			return true;
	return false;
}

struct found {
	int lost, left, running;
	const struct journal_act *first; /* lost or with leftovers */
};

static void
count(struct journal *j, const struct journal_act *a, struct arena *arena, struct found *f)
{
	struct error ignored = { 0 };
	struct job_leftover *left;
	int n = 0;

	if (!a->finished_at.us) {
		f->running++;
		return;
	}
	if (!jobs_leftovers(j, a->id, arena, &left, &n, &ignored))
		n = 0;
	f->lost += a->state == JOURNAL_LOST;
	f->left += n;
	if (!f->first || a->state == JOURNAL_LOST)
		f->first = a;
}

static void
tell_found(const struct jobwatch *w, const struct found *f)
{
	struct ended e = { .role = f->first ? ROLE_CRIT : ROLE_INFO };
	struct strbuf sb = STRBUF_INIT(LINE - 1);

	if (f->lost)
		strbuf_addf(&sb, "%d job%s lost", f->lost, f->lost == 1 ? " is" : "s are");
	if (f->left)
		strbuf_addf(&sb, "%s%d thing%s left behind", sb.len ? ", " : "", f->left,
		    f->left == 1 ? " was" : "s were");
	if (f->running)
		strbuf_addf(&sb, "%s%d job%s under way", sb.len ? ", " : "", f->running,
		    f->running == 1 ? " is" : "s are");
	if (f->first)
		strbuf_addf(&sb, " (job %lld: %.60s on %.60s)", (long long)f->first->id,
		    f->first->command, f->first->target);
	strbuf_adds(&sb, "; `jobs` says what to do");
	snprintf(e.line, sizeof(e.line), "%s", sb.buf);
	strbuf_release(&sb);
	if (write(w->told[1], &e, sizeof(e)) < 0)
		log_warn("jobwatch", "%s", strerror(errno));
}

/* What is there to look after; ids gets those under way. Where there is no journal yet, nothing. */
static int
greet(const struct jobwatch *w, int64_t *ids)
{
	struct arena arena = { 0 };
	struct error err = { 0 };
	struct journal_act *acts;
	struct found f = { 0 };
	struct journal *j = NULL;
	int n = 0, nids = 0;

	if (w->ntargets && access(path_state(&arena, "journal.db"), R_OK) == 0)
		j = journal_open(&err);
	if (j) {
		jobs_mark_lost(j);
		if (!jobs_list(j, &arena, &acts, &n, &err))
			n = 0;
	}
	for (int i = 0; i < n; i++) {
		if (!is_ours(w, acts[i].target))
			continue;
		count(j, &acts[i], &arena, &f);
		if (!acts[i].finished_at.us && nids < MAX_JOBS)
			ids[nids++] = acts[i].id;
	}
	if (f.first || f.running)
		tell_found(w, &f);
	if (*err.what)
		log_warn("jobwatch", "%s", err.what);
	journal_close(j);
	arena_release(&arena);
	return nids;
}

static void *
jobwatch_main(void *arg)
{
	struct jobwatch *w = arg;
	int64_t ids[MAX_JOBS], id;
	int n = greet(w, ids);

	for (;;) {
		struct pollfd pfd = { .fd = w->orders[0], .events = POLLIN };
		int ready = poll(&pfd, 1, n > 0 ? EVERY_MS : -1);

		if (ready < 0 && errno != EINTR)
			return NULL;
		if (ready > 0) {
			if (read(w->orders[0], &id, sizeof(id)) != (ssize_t)sizeof(id))
				return NULL;
			if (n < MAX_JOBS)
				ids[n++] = id;
		} else if (ready == 0) {
			n = look(w, ids, n);
		}
	}
}

static bool
begin(struct jobwatch *w)
{
	sigset_t all, before;
	int failed;

	if (pipe2(w->orders, O_CLOEXEC) != 0 || pipe2(w->told, O_CLOEXEC | O_NONBLOCK) != 0)
		return false;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&w->thread, NULL, jobwatch_main, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failed == 0;
}

void
jobwatch_greet(struct jobwatch *w, const char *const *targets, int n)
{
	w->targets = targets;
	w->ntargets = n;
	if (!w->is_running && w->orders[0] < 0)
		w->is_running = begin(w);
}

void
jobwatch_add(struct jobwatch *w, int64_t id)
{
	if (!w->is_running && w->orders[0] < 0)
		w->is_running = begin(w);
	if (w->is_running && write(w->orders[1], &id, sizeof(id)) < 0)
		log_warn("jobwatch", "%s", strerror(errno));
}

void
jobwatch_free(struct jobwatch *w)
{
	if (!w)
		return;
	if (w->orders[1] >= 0)
		close(w->orders[1]);
	if (w->is_running)
		pthread_join(w->thread, NULL);
	if (w->orders[0] >= 0)
		close(w->orders[0]);
	for (int i = 0; i < 2; i++)
		if (w->told[i] >= 0)
			close(w->told[i]);
	free(w);
}

int
jobwatch_fd(const struct jobwatch *w)
{
	return w->told[0];
}

bool
jobwatch_next(struct jobwatch *w, char *line, size_t size, enum role *role)
{
	struct ended e;

	if (w->told[0] < 0 || read(w->told[0], &e, sizeof(e)) != (ssize_t)sizeof(e))
		return false;
	snprintf(line, size, "%s", e.line);
	*role = e.role;
	return true;
}
