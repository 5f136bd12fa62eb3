#include "config.h"

#include "app/actwrite.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

struct actwriting {
	pthread_t thread;
	int fds[2]; /* closed at its end by the writer: then the other one is readable */
};

static struct act_server
server_of(const struct snapshot *snap)
{
	return (struct act_server){
		.host = snap->server.host,
		.port = snap->server.port,
		.database = snap->server.database,
		.role = snap->server.user,
		.system_identifier = snap->server.system_identifier,
	};
}

static void *
write_it(void *arg)
{
	struct actwrite *w = arg;
	struct act_server server = server_of(w->snap);

	switch (w->kind) {
	case ACTWRITE_BEGIN:
		w->ok = actlog_begin(&w->log, w->act, w->target, &server, &w->error);
		break;
	case ACTWRITE_END:
		actlog_end(&w->log, w->act);
		break;
	case ACTWRITE_JOB:
		w->job = job_start(w->act, w->target, &server, &w->error);
		break;
	case ACTWRITE_OP:
		if (!w->op->again)
			w->job = op_job_start(w->op->target, &w->op->plan, &w->error);
		else if (op_job_again(
		             w->op->target, w->op->again, w->op->plan.line, w->op->mode, &w->error))
			w->job = w->op->again;
		break;
	}
	close(w->thread->fds[1]);
	return NULL;
}

void
actwrite_start(struct actwrite *w)
{
	sigset_t all, before;
	int failed;

	w->ok = false;
	w->job = 0;
	w->error = (struct error){ 0 };
	w->thread = xcalloc(1, sizeof(*w->thread));
	if (pipe2(w->thread->fds, O_CLOEXEC) != 0)
		fatal("cannot make a pipe: %s", strerror(errno));
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&w->thread->thread, NULL, write_it, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed)
		fatal("cannot start a thread for the journal: %s", strerror(failed));
}

int
actwrite_fd(const struct actwrite *w)
{
	return w->thread->fds[0];
}

void
actwrite_end(struct actwrite *w)
{
	pthread_join(w->thread->thread, NULL);
	close(w->thread->fds[0]);
	free(w->thread);
	snapshot_unref(w->snap);
	w->thread = NULL;
	w->snap = NULL;
}
