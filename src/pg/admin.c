#include "config.h"

#include "pg/admin.h"

#include <errno.h>
#include <poll.h>

#include "base/clock.h"
#include "base/strbuf.h"
#include "pg/conn.h"

enum { SLICE_MS = 100, MAX_NAME = 1024 };

const char *
pg_admin_quote(struct arena *arena, const char *name)
{
	struct strbuf sb = STRBUF_INIT(MAX_NAME);
	const char *quoted;

	strbuf_addc(&sb, '"');
	for (; *name; name++) {
		if (*name == '"')
			strbuf_addc(&sb, '"');
		strbuf_addc(&sb, *name);
	}
	strbuf_addc(&sb, '"');
	quoted = arena_strndup(arena, sb.buf, sb.len);
	strbuf_release(&sb);
	return quoted;
}

/* Until fd is readable, in slices, so that a wish to stop is heard. */
static bool
wait_for(int fd, bool wants_write, struct mono deadline, const volatile sig_atomic_t *stop,
    struct error *err)
{
	for (;;) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN | (wants_write ? POLLOUT : 0) };
		int64_t left = (deadline.us - mono_now().us + 999) / 1000;
		int n;

		if (stop && *stop)
			return error_set(err, ERR_STATE, "stopped on request");
		if (left <= 0)
			return error_set(err, ERR_TIMEOUT, "the pooler gave no answer in time");
		n = poll(&pfd, 1, left < SLICE_MS ? (int)left : SLICE_MS);
		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return error_set(err, ERR_LOST, "the connection cannot be waited for");
	}
}

static struct pg_conn *
dial(const char *conninfo, struct mono deadline, const volatile sig_atomic_t *stop,
    struct error *err)
{
	struct pg_dial *d =
	    pg_dial_new(&(struct pg_dial_conf){ .conninfo = conninfo, .is_console = true });

	while (!pg_dial_done(d)) {
		if (!wait_for(pg_dial_fd(d), false, deadline, stop, err)) {
			pg_dial_free(d);
			return NULL;
		}
	}
	return pg_dial_take(d, err);
}

struct rowset *
pg_admin_run(const char *conninfo, const char *command, int timeout_ms,
    const volatile sig_atomic_t *stop, struct error *err)
{
	struct mono deadline = { mono_now().us + (int64_t)timeout_ms * 1000 };
	struct pg_conn *c = dial(conninfo, deadline, stop, err);
	struct rowset *rows = NULL;
	bool ok = c && pg_conn_console(c, command, 0, err) && pg_conn_flush(c, err);

	while (ok && !rows) {
		struct pg_answer answer = { 0 };

		if (pg_conn_next(c, &answer) == PG_ANSWER) {
			if (answer.state == PG_ROWS) {
				rows = answer.rows;
			} else {
				*err = answer.error;
				ok = false;
			}
			continue;
		}
		ok = wait_for(pg_conn_fd(c), pg_conn_wants_write(c), deadline, stop, err) &&
		    pg_conn_flush(c, err) && pg_conn_input(c, err);
	}
	pg_conn_free(c);
	return rows;
}
