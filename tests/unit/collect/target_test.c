/* Sessions of a target against a server of a few lines, which says what a real one says rarely. */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "collect/target.h"

enum { SERVER_PID = 4242, TIMEOUT_MS = 10000 };

/* ---- the server */

/* What it says to one query: a row of NULLs but for its first column. */
struct reply {
	const char *query;
	int64_t first;
	bool fails, copies;
};

static const struct reply setup[] = { { .query = "setup", .first = SERVER_PID },
	{ .query = "features" }, { .query = "facts" }, { .query = "control", .fails = true },
	{ .query = NULL } };

static int listener, port;

static int
start_listening(void **state)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);

	(void)state;
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listener, (struct sockaddr *)&addr, len) != 0 || listen(listener, 8) != 0 ||
	    getsockname(listener, (struct sockaddr *)&addr, &len) != 0)
		return -1;
	port = ntohs(addr.sin_port);
	alarm(60);
	return 0;
}

static void
put16(struct strbuf *out, int v)
{
	strbuf_addc(out, (char)(v >> 8));
	strbuf_addc(out, (char)v);
}

static void
put32(struct strbuf *out, int64_t v)
{
	put16(out, (int)(v >> 16));
	put16(out, (int)v);
}

static void
put_message(struct strbuf *out, char type, const struct strbuf *body)
{
	strbuf_addc(out, type);
	put32(out, (int64_t)body->len + 4);
	strbuf_add(out, body->buf, body->len);
}

static void
put_plain(struct strbuf *out, char type, const char *body, size_t len)
{
	struct strbuf b = STRBUF_INIT(4096);

	strbuf_add(&b, body, len);
	put_message(out, type, &b);
	strbuf_release(&b);
}

static void
put_columns(struct strbuf *out, const struct pg_query *q)
{
	static const int oids[] = { [CELL_BOOL] = 16,
		[CELL_INT] = 20,
		[CELL_FLOAT] = 701,
		[CELL_TEXT] = 25,
		[CELL_TIME] = 1184,
		[CELL_INTS] = 1016 };
	struct strbuf b = STRBUF_INIT(65536);

	put16(&b, q->ncols);
	for (int i = 0; i < q->ncols; i++) {
		strbuf_add(&b, q->col_names[i], strlen(q->col_names[i]) + 1);
		put32(&b, 0);
		put16(&b, 0);
		put32(&b, oids[q->col_types[i]]);
		put16(&b, -1);
		put32(&b, -1);
		put16(&b, 1);
	}
	put_message(out, 'T', &b);
	strbuf_release(&b);
}

static void
put_row(struct strbuf *out, const struct pg_query *q, int64_t first)
{
	struct strbuf b = STRBUF_INIT(65536);

	put16(&b, q->ncols);
	for (int i = 0; i < q->ncols; i++) {
		if (i == 0 && q->col_types[0] == CELL_INT) {
			put32(&b, 8);
			put32(&b, first >> 32);
			put32(&b, first);
		} else {
			put32(&b, -1);
		}
	}
	put_message(out, 'D', &b);
	put_plain(out, 'C', "SELECT 1", 9);
	strbuf_release(&b);
}

static void
read_all(int fd, void *buf, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t got = read(fd, (char *)buf + done, n - done);
		if (got <= 0)
			fail_msg("the connection ended");
		done += (size_t)got;
	}
}

/* Accept a connection and let it in. */
static int
let_in(void)
{
	struct strbuf out = STRBUF_INIT(4096), key = STRBUF_INIT(64);
	char startup[4096];
	uint32_t len;
	int fd = accept(listener, NULL, NULL);

	assert_true(fd >= 0);
	read_all(fd, &len, 4);
	assert_true(ntohl(len) <= sizeof(startup));
	read_all(fd, startup, ntohl(len) - 4);
	put_plain(&out, 'R', "\0\0\0\0", 4);
	put32(&key, SERVER_PID);
	put32(&key, 1);
	put_message(&out, 'K', &key);
	put_plain(&out, 'Z', "I", 1);
	assert_int_equal(write(fd, out.buf, out.len), out.len);
	strbuf_release(&out);
	strbuf_release(&key);
	return fd;
}

/* Take queries until their `groups` have ended, then answer all of them at once. */
static void
serve(int fd, const struct reply *replies, int groups)
{
	static const char error[] = "SERROR\0VERROR\0CXX000\0Mno\0";
	struct strbuf out = STRBUF_INIT(1 << 20);
	bool is_skipping = false;
	char type, body[65536];
	uint32_t len;

	while (groups > 0) {
		const struct pg_query *q = replies->query ? pg_query_by_name(replies->query) : NULL;

		read_all(fd, &type, 1);
		read_all(fd, &len, 4);
		assert_true(ntohl(len) <= sizeof(body));
		read_all(fd, body, ntohl(len) - 4);
		if (type == 'S') {
			put_plain(&out, 'Z', "I", 1);
			is_skipping = false;
			groups--;
		} else if (is_skipping) {
			continue;
		} else if (type == 'P') {
			put_plain(&out, '1', "", 0);
		} else if (type == 'B' && replies->fails) {
			put_plain(&out, 'E', error, sizeof(error));
			is_skipping = true;
			replies++;
		} else if (type == 'B') {
			put_plain(&out, '2', "", 0);
		} else if (type == 'D' && replies->copies) {
			/* as for COPY TO STDOUT; libpq leaks a row description that a copy follows
			 */
			put_plain(&out, 'n', "", 0);
		} else if (type == 'D') {
			put_columns(&out, q);
		} else if (type == 'E') {
			if (replies->copies)
				put_plain(&out, 'H', "\0\0\0", 3);
			else
				put_row(&out, q, replies->first);
			replies++;
		}
	}
	assert_int_equal(write(fd, out.buf, out.len), out.len);
	strbuf_release(&out);
}

/* ---- the target */

static struct target *
new_target(bool no_action)
{
	char conninfo[128];

	snprintf(conninfo, sizeof(conninfo),
	    "host=127.0.0.1 port=%d user=u dbname=d sslmode=disable gssencmode=disable", port);
	return target_new(
	    &(struct target_conf){
	        .name = "t", .conninfo = conninfo, .refresh_ms = 1000, .no_action = no_action },
	    true);
}

static void
wait_input(const struct session *s)
{
	short events;
	struct pollfd pfd = { .fd = session_fd(s, &events), .events = POLLIN };

	assert_int_equal(poll(&pfd, 1, TIMEOUT_MS), 1);
}

/* The last of the set-up may come between poll() and what else there is to do. */
static void
test_setup_ends_outside_of_poll(void **state)
{
	struct target *t = new_target(true);
	char text[16];
	int fd;

	(void)state;
	target_run(t, mono_now());
	fd = let_in();
	wait_input(&t->main);
	struct error err;
	while (t->main.state == SESSION_DIALING)
		assert_true(session_step(&t->main, &err));
	serve(fd, setup, 4);
	wait_input(&t->main);
	assert_true(target_run(t, mono_now()).us != 0);
	assert_int_equal(t->main.state, SESSION_READY);
	snprintf(text, sizeof(text), "%d", port);
	assert_string_equal(feed_server_info(t->feed)->port, text);
	target_free(t);
	close(fd);
}

/* Out of descriptors: said, and tried again. */
static void
test_no_descriptor_to_dial_with(void **state)
{
	struct target *t = new_target(true);
	struct rlimit before, none;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	struct mono wake = target_run(t, mono_now());
	if (feed_link_state(t->feed) != LINK_DOWN && wake.us)
		wake = target_run(t, wake);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(feed_link_state(t->feed), LINK_DOWN);
	assert_true(wake.us != 0);
	target_free(t);
}

/* ---- requests */

static struct {
	int n, nok;
	char what[256];
} posted;

static void
post(void *arg, const struct run_outcome *outcome)
{
	(void)arg;
	posted.n++;
	posted.nok += outcome->is_ok;
	snprintf(posted.what, sizeof(posted.what), "%s", outcome->error.what);
	rowset_unref(outcome->rows);
}

static void
queue_act(struct target *t, uint64_t ticket)
{
	struct run *run = xcalloc(1, sizeof(*run));

	run->ticket = ticket;
	run->kind = RUN_ACT;
	run->query = pg_query_by_name("act_cancel");
	run->nparams = run->query->nparams;
	for (int i = 0; i < run->nparams; i++)
		run->params[i] = xstrdup("1");
	run->timeout_ms = 1000;
	run->queued = mono_now();
	action_queue(t, run);
}

/* A target whose warm session is open and runs the first request. */
static struct target *
acting_target(int *fd)
{
	struct target *t = new_target(false);

	posted.n = posted.nok = 0;
	t->post = post;
	queue_act(t, 1);
	action_run(t, mono_now(), &(struct mono){ 0 });
	*fd = let_in();
	while (t->action.session.state == SESSION_DIALING) {
		wait_input(&t->action.session);
		action_ready(t);
	}
	serve(*fd, setup, 4);
	while (!t->action.is_running) {
		wait_input(&t->action.session);
		action_ready(t);
	}
	return t;
}

static void
answer_act(struct target *t, int fd, bool closes)
{
	const struct reply replies[] = { { .query = "writable" }, { .query = "act_cancel" },
		{ .query = "writable", .fails = !closes }, { .query = NULL } };
	int before = posted.n;

	serve(fd, replies, 3);
	while (posted.n == before) {
		wait_input(&t->action.session);
		action_ready(t);
	}
}

static void
test_a_cancelled_act_is_never_sent(void **state)
{
	int fd;
	struct target *t = acting_target(&fd);

	(void)state;
	queue_act(t, 2);
	action_cancel(t, 2);
	answer_act(t, fd, true);
	assert_false(t->action.is_running);
	assert_int_equal(posted.n, 2);
	assert_int_equal(posted.nok, 1);
	assert_string_equal(posted.what, "given up before it was sent");
	target_free(t);
	close(fd);
}

/* What was done is done, but a session that stays writable is not kept. */
static void
test_an_act_whose_session_does_not_close(void **state)
{
	int fd;
	struct target *t = acting_target(&fd);

	(void)state;
	answer_act(t, fd, false);
	assert_int_equal(posted.nok, 1);
	assert_int_equal(t->action.session.state, SESSION_NONE);
	target_free(t);
	close(fd);
}

/* No query of ours copies: a server that begins to is not to be waited for. */
static void
test_a_copy_ends_the_connection(void **state)
{
	static const struct reply copy[] = { { .query = "setup", .copies = true },
		{ .query = NULL } };
	struct target *t = new_target(true);
	struct error err;
	int fd;

	(void)state;
	session_start(&t->spare, &(struct pg_dial_conf){ .conninfo = t->conninfo, .timeout_s = 5 });
	fd = let_in();
	while (t->spare.state == SESSION_DIALING)
		assert_true(session_step(&t->spare, &err));
	serve(fd, copy, 1);
	wait_input(&t->spare);
	bool is_alive = session_step(&t->spare, &err);
	if (is_alive) {
		wait_input(&t->spare);
		is_alive = session_step(&t->spare, &err);
	}
	assert_false(is_alive);
	assert_int_equal(err.code, ERR_LOST);
	target_free(t);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_setup_ends_outside_of_poll),
		cmocka_unit_test(test_no_descriptor_to_dial_with),
		cmocka_unit_test(test_a_cancelled_act_is_never_sent),
		cmocka_unit_test(test_an_act_whose_session_does_not_close),
		cmocka_unit_test(test_a_copy_ends_the_connection),
	};
	return cmocka_run_group_tests(tests, start_listening, NULL);
}
