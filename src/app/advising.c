#include "config.h"

#include "app/advising.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/advise.h"
#include "app/child.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/proc.h"
#include "collect/recevent.h"

enum { RETRY_MS = 20, STOP_MS = 3000, MAX_BEGUN = 4096 };

struct advising {
	struct collector *collector;
	pid_t child; /* 0: none */
	int fd, target;
	struct strbuf in;     /* frames that are not whole, or could not be posted yet */
	bool is_held;         /* the collector's queue was full */
	struct mono stopping; /* when it was told to; 0: it was not */
	bool is_done;         /* it said so */
	struct error error;
	char stray[256]; /* its last line that was no frame */
	int creates, drops;
	double elapsed_ms;
	int64_t explains;
	unsigned char begun[MAX_BEGUN / 8];
	char line[400];
};

struct advising *
advising_new(struct collector *c)
{
	struct advising *a = xcalloc(1, sizeof(*a));

	a->collector = c;
	a->fd = a->target = -1;
	strbuf_init(&a->in, ADVISE_MAX_FRAME + ADVISE_HEAD + 65536);
	return a;
}

/* Its child has gone or goes now; its exit status. */
static int
reap(struct advising *a)
{
	int status = 0;

	while (waitpid(a->child, &status, 0) < 0 && errno == EINTR)
		continue;
	close(a->fd);
	a->child = 0;
	a->fd = a->target = -1;
	a->is_held = false;
	strbuf_clear(&a->in);
	return status;
}

void
advising_free(struct advising *a)
{
	if (!a)
		return;
	if (a->child) {
		kill(a->child, SIGKILL);
		(void)reap(a);
	}
	strbuf_release(&a->in);
	free(a);
}

static bool
is_peer(struct advising *a, int own, int i)
{
	const struct snapshot *mine = collector_snapshot(a->collector, own);
	const struct snapshot *other = collector_snapshot(a->collector, i);
	bool is = i != own && other->server.is_standby &&
	    (!mine->server.system_identifier || !other->server.system_identifier ||
	        mine->server.system_identifier == other->server.system_identifier);

	snapshot_unref(mine);
	snapshot_unref(other);
	return is;
}

static void
add_peers(struct advising *a, struct strbuf *request, const struct targets *targets, int own)
{
	bool first = true;

	for (int i = 0; i < targets->n && i < collector_count(a->collector); i++) {
		bool first_member = true;

		if (!is_peer(a, own, i))
			continue;
		strbuf_adds(request, first ? "{" : ",{");
		first = false;
		child_member(request, &first_member, "name", targets->items[i].name);
		child_member(request, &first_member, "conninfo", targets->items[i].conninfo);
		child_member(request, &first_member, "password", targets->items[i].password);
		strbuf_addc(request, '}');
	}
}

bool
advising_start(struct advising *a, const struct targets *targets, int i, struct error *err)
{
	const struct target *t = &targets->items[i];
	struct strbuf request = STRBUF_INIT(1 << 20);
	bool first = true, ok;

	if (a->child) {
		error_set(err, ERR_STATE, "the adviser is at work for %s already",
		    targets->items[a->target].name);
		return error_hint(err, ":advise stop ends it.");
	}
	strbuf_addc(&request, '{');
	json_key(&request, &first, "advise");
	strbuf_adds(&request, "true");
	child_member(&request, &first, "name", t->name);
	child_member(&request, &first, "conninfo", t->conninfo);
	child_member(&request, &first, "password", t->password);
	child_member(&request, &first, "hypopg", t->no_hypopg ? "never" : NULL);
	json_key(&request, &first, "unused_days");
	json_num(&request, t->unused_days);
	strbuf_adds(&request, ",\"peers\":[");
	add_peers(a, &request, targets, i);
	strbuf_adds(&request, "]}");
	ok = child_start(&request, &a->child, &a->fd, err);
	strbuf_release(&request);
	/* Once is enough, also when it could not be: opening the pane again does not try again. */
	if (i < MAX_BEGUN)
		a->begun[i / 8] |= (unsigned char)(1 << i % 8);
	if (!ok) {
		a->child = 0;
		a->fd = -1;
		return false;
	}
	a->target = i;
	a->is_done = false;
	a->stopping = (struct mono){ 0 };
	a->error = (struct error){ 0 };
	a->stray[0] = '\0';
	a->creates = a->drops = 0;
	a->explains = 0;
	a->elapsed_ms = 0;
	return true;
}

bool
advising_stop(struct advising *a)
{
	if (!a->child)
		return false;
	kill(a->child, a->stopping.us ? SIGKILL : SIGINT);
	if (!a->stopping.us)
		a->stopping = mono_now();
	return true;
}

int
advising_target(const struct advising *a)
{
	return a->target;
}

bool
advising_was_begun(const struct advising *a, int i)
{
	return i >= MAX_BEGUN || (a->begun[i / 8] >> i % 8 & 1);
}

int
advising_fd(const struct advising *a)
{
	return a->is_held ? -1 : a->fd;
}

int
advising_timeout_ms(const struct advising *a)
{
	int64_t left;

	if (a->is_held)
		return RETRY_MS;
	if (!a->child || !a->stopping.us)
		return -1;
	left = STOP_MS - mono_since_ms(mono_now(), a->stopping);
	return left > 0 ? (int)left : 0;
}

/* ------------------------------------------------------------------ what it writes */

/* Figures for the line at the end. */
static void
count(struct advising *a, enum probe_id probe, const struct rowset *rows)
{
	if (probe == PROBE_ADVICE_SUMMARY && rows->nrows > 0) {
		a->explains = cell_i64(rowset_get(rows, 0, "explains"), 0);
		a->elapsed_ms = cell_num(rowset_get(rows, 0, "elapsed_ms"), 0);
	}
	if (probe != PROBE_ADVICE)
		return;
	a->creates = a->drops = 0;
	for (int i = 0; i < rows->nrows; i++) {
		a->creates += cell_is(rowset_get(rows, i, "action"), "create");
		a->drops += !cell_is(rowset_get(rows, i, "action"), "create");
	}
}

/* False: the queue is full, the frame stays. */
static bool
post_sample(struct advising *a, const char *data, size_t len)
{
	struct rec_reader reader = { (const unsigned char *)data,
		(const unsigned char *)data + len };
	struct rec_event ev = { 0 };
	struct error ignored = { 0 };
	bool ok = true;

	if (rec_get(&reader, &ev, &ignored) != 1 || ev.kind != REC_SAMPLE || !ev.sample)
		return true;
	ok = collector_post(a->collector, a->target, ev.sample->probe, rowset_ref(ev.sample->rows));
	if (ok)
		count(a, ev.sample->probe, ev.sample->rows);
	sample_unref(ev.sample);
	return ok;
}

static void
take_error(struct advising *a, const char *data, size_t len)
{
	size_t what = strnlen(data, len);

	error_set(&a->error, ERR_STATE, "%.*s", (int)what, data);
	if (what < len)
		error_hint(&a->error, "%.*s", (int)(len - what - 1), data + what + 1);
}

/* A line that is no frame: a notice of a library, or what a dying program says. 0: it is not whole.
 */
static size_t
take_stray(struct advising *a, const char *text, size_t len)
{
	const char *nl = memchr(text, '\n', len);
	size_t n = nl ? (size_t)(nl - text) : len;

	if (!nl && len < sizeof(a->stray))
		return 0;
	snprintf(a->stray, sizeof(a->stray), "%.*s", n < 200 ? (int)n : 200, text);
	return nl ? n + 1 : n;
}

/* The frame at the beginning of the text; 0: it is not whole, or cannot be posted now (is_held). */
static size_t
take_frame(struct advising *a, const char *text, size_t len)
{
	uint32_t size;

	if (len < ADVISE_HEAD || memcmp(text, "PMA", 3) != 0)
		return memcmp(text, "PMA", len < 3 ? len : 3) == 0 ? 0 : take_stray(a, text, len);
	memcpy(&size, text + 4, sizeof(size));
	if (size > ADVISE_MAX_FRAME)
		return take_stray(a, text, len);
	if (len - ADVISE_HEAD < size)
		return 0;
	text += ADVISE_HEAD;
	if (text[-5] == 'S' && !post_sample(a, text, size)) {
		a->is_held = true;
		return 0;
	}
	if (text[-5] == 'E')
		take_error(a, text, size);
	a->is_done |= text[-5] == 'F';
	return ADVISE_HEAD + size;
}

/* All that is whole. */
static void
take_frames(struct advising *a)
{
	size_t at = 0, n = 1;

	a->is_held = false;
	while (n && at < a->in.len) {
		n = take_frame(a, a->in.buf + at, a->in.len - at);
		at += n;
	}
	memmove(a->in.buf, a->in.buf + at, a->in.len - at + 1);
	a->in.len -= at;
}

static const char *
end(struct advising *a, enum role *role)
{
	bool was_stopped = a->stopping.us != 0;
	int status = reap(a);
	char how[64];

	*role = ROLE_CRIT;
	if (*a->error.what)
		snprintf(a->line, sizeof(a->line), "no advice: %.200s%s%.150s", a->error.what,
		    *a->error.hint ? ". " : "", a->error.hint);
	else if (!a->is_done && was_stopped)
		snprintf(a->line, sizeof(a->line), "the adviser was stopped");
	else if (!a->is_done)
		snprintf(a->line, sizeof(a->line), "the adviser ended without a word: %s%s%s",
		    proc_status_text(status, how, sizeof(how)), *a->stray ? ": " : "", a->stray);
	else {
		*role = ROLE_OK;
		snprintf(a->line, sizeof(a->line),
		    "advice: %d to create, %d to drop or rebuild; %lld EXPLAINs in %.1f s",
		    a->creates, a->drops, (long long)a->explains, a->elapsed_ms / 1000);
	}
	return a->line;
}

const char *
advising_step(struct advising *a, enum role *role)
{
	char buf[65536];
	ssize_t n = -1;

	if (!a->child)
		return NULL;
	if (a->stopping.us && mono_since_ms(mono_now(), a->stopping) >= STOP_MS)
		kill(a->child, SIGKILL);
	take_frames(a);
	while (!a->is_held && (n = read(a->fd, buf, sizeof(buf))) > 0) {
		strbuf_add(&a->in, buf, (size_t)n);
		take_frames(a);
	}
	if (a->is_held || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return NULL;
	if (a->in.len && memcmp(a->in.buf, "PMA", a->in.len < 3 ? a->in.len : 3) != 0)
		snprintf(a->stray, sizeof(a->stray), "%.200s", a->in.buf);
	return end(a, role);
}
