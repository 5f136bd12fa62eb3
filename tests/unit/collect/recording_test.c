/* Recordings: what is written is read back; files cut or damaged anywhere are read as far as they
 * are good. */
#include "config.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "collect/recevent.h"
#include "collect/recfile.h"

static char path[64];

static int
setup(void **state)
{
	(void)state;
	snprintf(path, sizeof(path), "/tmp/pgmedic-rec-%d", (int)getpid());
	unlink(path);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

static struct sample *
make_sample(int64_t n)
{
	static const char *const names[] = { "pid", "query", "now", "share", "blocked", "flag" };
	static const uint8_t types[] = { CELL_INT, CELL_TEXT, CELL_TIME, CELL_FLOAT, CELL_INTS,
		CELL_BOOL };
	struct sample *s = calloc(1, sizeof(*s));
	struct cell *c;
	int64_t *ints;

	atomic_init(&s->refs, 1);
	s->probe = PROBE_ACTIVITY;
	s->state = SAMPLE_OK;
	s->server_at.us = 1700000000000000 + n;
	s->elapsed_us = 1234;
	s->rows = rowset_new(6, names, types);
	for (int i = 0; i < 3; i++) {
		c = rowset_add(s->rows);
		ints = arena_alloc(&s->rows->arena, 2 * sizeof(*ints));
		ints[0] = -1;
		ints[1] = INT64_MAX;
		c[0] = cell_int(i == 1 ? INT64_MIN : n + i);
		c[1] = i == 2 ? cell_null(WHY_DENIED) :
		                cell_textn(arena_strndup(&s->rows->arena, "a\0\xff", 3), 3);
		c[2] = cell_time(s->server_at.us);
		c[3] = cell_float(0.1 * i);
		c[4] = (struct cell){ .ints = ints, .len = 2, .type = CELL_INTS };
		c[5] = cell_bool(i == 0);
	}
	return s;
}

static void
put_refresh(struct strbuf *out, int64_t n)
{
	struct rec_event ev = {
		.kind = REC_SAMPLE, .target = 3, .at = { 1000 + n }, .mono = { 55 }
	};

	ev.sample = make_sample(n);
	rec_put(out, &ev);
	sample_unref(ev.sample);
	ev = (struct rec_event){ .kind = REC_SEAL,
		.target = 3,
		.cost = { .server_ms = 0.5, .round_trips = 1, .bytes = n } };
	rec_put(out, &ev);
}

static void
events_survive(void **state)
{
	struct strbuf raw = STRBUF_INIT(1 << 20);
	struct rec_event ev = { .kind = REC_SERVER };
	struct sample *s = make_sample(7);
	struct rec_reader r;
	struct error err;

	(void)state;
	ev.server.version_num = 150018;
	ev.server.system_identifier = -5;
	snprintf(ev.server.host, sizeof(ev.server.host), "db1");
	rec_put(&raw, &ev);
	put_refresh(&raw, 7);
	r = (struct rec_reader){ (unsigned char *)raw.buf, (unsigned char *)raw.buf + raw.len };
	assert_int_equal(rec_get(&r, &ev, &err), 1);
	assert_int_equal(ev.server.version_num, 150018);
	assert_int_equal(ev.server.system_identifier, -5);
	assert_string_equal(ev.server.host, "db1");
	assert_int_equal(rec_get(&r, &ev, &err), 1);
	assert_int_equal(ev.kind, REC_SAMPLE);
	assert_int_equal(ev.target, 3);
	assert_int_equal(ev.sample->probe, PROBE_ACTIVITY);
	assert_int_equal(ev.sample->rows->nrows, 3);
	for (int i = 0; i < 18; i++)
		assert_true(cell_equal(&ev.sample->rows->cells[i], &s->rows->cells[i]));
	assert_int_equal(rowset_get(ev.sample->rows, 2, "query")->why, WHY_DENIED);
	sample_unref(ev.sample);
	sample_unref(s);
	assert_int_equal(rec_get(&r, &ev, &err), 1);
	assert_int_equal(ev.kind, REC_SEAL);
	assert_int_equal(ev.cost.bytes, 7);
	assert_int_equal(rec_get(&r, &ev, &err), 0);
	strbuf_release(&raw);
}

/* Every single-byte change of an event stream is read or refused, never more than is there. */
static void
hostile_events(void **state)
{
	struct strbuf raw = STRBUF_INIT(1 << 20);
	struct error err;
	unsigned char *copy;
	int refused = 0;

	(void)state;
	put_refresh(&raw, 1);
	for (size_t i = 0; i < raw.len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			struct rec_reader r;
			struct rec_event ev;
			int got;
			copy = malloc(raw.len);
			memcpy(copy, raw.buf, raw.len);
			copy[i] ^= (unsigned char)(1 << bit);
			r = (struct rec_reader){ copy, copy + raw.len };
			while ((got = rec_get(&r, &ev, &err)) == 1)
				sample_unref(ev.sample);
			refused += got < 0;
			free(copy);
		}
	}
	assert_true(refused > 100);
	strbuf_release(&raw);
}

static int64_t
write_blocks(int n)
{
	struct strbuf raw = STRBUF_INIT(1 << 20);
	struct error err;
	struct recfile *f = recfile_create(path, &err);
	int64_t bytes;

	assert_non_null(f);
	for (int i = 0; i < n; i++) {
		strbuf_clear(&raw);
		put_refresh(&raw, i);
		assert_true(recfile_append(
		    f, (struct wall){ 1000 + i }, i == 0 ? RECFILE_KEY : 0, &raw, &err));
	}
	bytes = recfile_bytes(f);
	recfile_close(f);
	strbuf_release(&raw);
	return bytes;
}

static int
readable_blocks(void)
{
	struct strbuf raw = STRBUF_INIT(1 << 20);
	struct error err;
	struct recfile *f = recfile_open(path, &err);
	int n = 0;

	for (int i = 0; f && i < recfile_count(f); i++)
		n += recfile_read(f, i, &raw, &err);
	recfile_close(f);
	strbuf_release(&raw);
	return n;
}

static void
cut_at_every_byte(void **state)
{
	int64_t bytes = write_blocks(4), one;
	int last = 4;

	(void)state;
	assert_int_equal(readable_blocks(), 4);
	one = (bytes - 16) / 4;
	for (int64_t len = bytes - 1; len > 16; len--) {
		int n;
		assert_int_equal(truncate(path, len), 0);
		n = readable_blocks();
		assert_true(n <= last && n >= (int)((len - 16) / (one + 8)));
		last = n;
	}
	assert_int_equal(last, 0);
}

static void
append_goes_on_after_a_torn_end(void **state)
{
	int64_t bytes = write_blocks(3);

	(void)state;
	assert_int_equal(truncate(path, bytes - 5), 0);
	write_blocks(2);
	assert_int_equal(readable_blocks(), 4);
}

static void
damage_in_the_middle_is_skipped(void **state)
{
	int64_t bytes = write_blocks(5);
	struct error err;
	struct recfile *f;
	int fd = open(path, O_WRONLY);

	(void)state;
	assert_int_equal(pwrite(fd, "XXXX", 4, bytes / 2), 4);
	close(fd);
	assert_int_equal(readable_blocks(), 4);
	f = recfile_open(path, &err);
	assert_non_null(f);
	assert_true(recfile_damaged(f) > 0);
	assert_int_equal(recfile_torn(f), 0);
	recfile_close(f);
}

static void
other_files_are_refused(void **state)
{
	struct error err;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	(void)state;
	assert_int_equal(write(fd, "SELECT 1 FROM somewhere;\n", 25), 25);
	close(fd);
	assert_null(recfile_open(path, &err));
	assert_int_equal(err.code, ERR_FORMAT);
	assert_null(recfile_create(path, &err));
	assert_int_equal(err.code, ERR_FORMAT);
	assert_null(recfile_open("/nonexistent/x", &err));
	assert_int_equal(err.code, ERR_FILE);
}

static void
two_do_not_write_one_file(void **state)
{
	struct error err;
	struct recfile *f, *other;

	(void)state;
	unlink(path);
	f = recfile_create(path, &err);
	assert_non_null(f);
	other = recfile_create(path, &err);
	assert_null(other);
	assert_int_equal(err.code, ERR_STATE);
	recfile_close(f);
	other = recfile_create(path, &err);
	assert_non_null(other);
	recfile_close(other);
}

static void
memory_ring_is_bounded_and_begins_with_a_key(void **state)
{
	struct strbuf raw = STRBUF_INIT(1 << 20);
	struct recfile *m = recfile_memory(4096), *copy;
	struct error err;

	(void)state;
	for (int i = 0; i < 200; i++) {
		strbuf_clear(&raw);
		put_refresh(&raw, i);
		assert_true(recfile_append(
		    m, (struct wall){ i }, i % 5 == 0 ? RECFILE_KEY : 0, &raw, &err));
		assert_true(recfile_bytes(m) <= 4096);
	}
	copy = recfile_copy(m, &err);
	assert_non_null(copy);
	assert_true(recfile_count(copy) >= 5);
	assert_int_equal(recfile_block(copy, 0)->flags, RECFILE_KEY);
	assert_int_equal(recfile_block(copy, recfile_count(copy) - 1)->at.us, 199);
	for (int i = 0; i < recfile_count(copy); i++)
		assert_true(recfile_read(copy, i, &raw, &err));
	assert_true(recfile_save(m, path, &err));
	assert_int_equal(readable_blocks(), recfile_count(copy));
	assert_false(recfile_save(m, path, &err));
	recfile_close(copy);
	recfile_close(m);
	strbuf_release(&raw);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_survive),
		cmocka_unit_test(hostile_events),
		cmocka_unit_test_setup_teardown(cut_at_every_byte, setup, teardown),
		cmocka_unit_test_setup_teardown(append_goes_on_after_a_torn_end, setup, teardown),
		cmocka_unit_test_setup_teardown(damage_in_the_middle_is_skipped, setup, teardown),
		cmocka_unit_test_setup_teardown(other_files_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(two_do_not_write_one_file, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    memory_ring_is_bounded_and_begins_with_a_key, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
