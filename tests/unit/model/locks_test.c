/* Who waits for whom: the graph, the forest, and what ending one frees, on tables of lock rows. */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "model/locks.h"

#include "unit/model/lock_rows.h"

/* A forest as text: "depth:pid[!]" per line of the tree, "!" where it is shown in full elsewhere,
 * then /frees. */
static void
draw(const struct locks *l, struct strbuf *out)
{
	for (int i = 0; i < l->nplaces; i++) {
		const struct lock_place *p = &l->places[i];
		const struct lock_node *n = &l->nodes[p->node];
		strbuf_addf(out, "%s%d:%lld%s/%d", i ? " " : "", p->depth, (long long)n->pid,
		    p->is_again ? "!" : "", n->frees);
	}
}

struct scene {
	struct arena arena;
	struct rowset *locks, *sessions;
	struct activity activity;
	struct names names;
	struct locks l;
};

static void
scene_build(struct scene *s)
{
	activity_build(&s->activity, &s->arena, s->sessions, &s->names, NULL, 0);
	locks_build(&s->l, &s->arena, s->locks, &s->activity, INT64_C(1000000) * NOW_S);
}

static void
scene_release(struct scene *s)
{
	locks_release(&s->l);
	activity_release(&s->activity);
	names_release(&s->names);
	rowset_unref(s->locks);
	rowset_unref(s->sessions);
	arena_release(&s->arena);
}

struct example {
	const char *name;
	const char *rows[16];
	const char *tree;
};

static const struct example examples[] = {
	{ "nobody waits", { "1 relation 9 AccessShare held", NULL }, "" },
	{ "a reader is innocent: writer, index, insert",
	    { "1 relation 9 AccessShare held", "2 relation 9 RowExclusive held",
	        "3 relation 9 Share 30", "4 relation 9 RowExclusive 20", NULL },
	    "0:2/2 1:3/1 2:4/0" },
	{ "later selects queue behind an ALTER behind a SELECT",
	    { "1 relation 9 AccessShare held", "2 relation 9 AccessExclusive 50",
	        "3 relation 9 AccessShare 40", "4 relation 9 AccessShare 30", NULL },
	    "0:1/3 1:2/2 2:3/0 2:4/0" },
	{ "three readers block an ALTER: ending one frees nobody",
	    { "1 relation 9 AccessShare held", "2 relation 9 AccessShare held",
	        "3 relation 9 AccessShare held", "8 relation 9 AccessExclusive 5",
	        "9 relation 9 AccessShare 4", NULL },
	    "0:1/0 1:8/1 2:9/0 0:2/0 1:8!/1 0:3/0 1:8!/1" },
	{ "a chain over transactions",
	    { "1 transactionid 71 Exclusive held", "2 transactionid 71 Share 9",
	        "2 transactionid 72 Exclusive held", "3 transactionid 72 Share 8",
	        "3 transactionid 73 Exclusive held", "4 transactionid 73 Share 7", NULL },
	    "0:1/3 1:2/2 2:3/1 3:4/0" },
	{ "the first in the queue for a row frees nobody: the next takes its place",
	    { "1 transactionid 71 Exclusive held", "2 transactionid 71 Share 9",
	        "2 tuple 50 Exclusive held", "3 tuple 50 Exclusive 8", "4 tuple 50 Exclusive 7",
	        NULL },
	    "0:1/3 1:2/0 2:3/0 2:4/0" },
	{ "modes that go together do not wait for each other in the queue",
	    { "1 relation 9 AccessExclusive held", "2 relation 9 RowExclusive 9",
	        "3 relation 9 RowExclusive 8", NULL },
	    "0:1/2 1:2/0 1:3/0" },
	{ "shared row locks: an update waits for the one that holds most",
	    { "1 advisory 4 Share held", "2 advisory 4 Share held", "3 advisory 4 Exclusive 2",
	        NULL },
	    "0:1/0 1:3/0 0:2/0 1:3!/0" },
	{ "objects of the same number but another kind are others",
	    { "1 advisory 9 Exclusive held", "2 relation 9 Share held",
	        "3 relation 9 RowExclusive 3", NULL },
	    "0:2/1 1:3/0" },
	{ "an index built concurrently waits for a virtual transaction",
	    { "1 virtualxid 3/40 Exclusive held", "2 virtualxid 3/40 Share 60", NULL },
	    "0:1/1 1:2/0" },
	{ "a prepared transaction is a head with a name of its own",
	    { "0:gid1 transactionid 71 Exclusive held", "0:gid1 relation 9 RowExclusive held",
	        "2 transactionid 71 Share 9", "3 relation 9 AccessExclusive 8", NULL },
	    "0:-71/2 1:2/0 1:3/0" },
	{ "a deadlock is cut open at the one that waits longest",
	    { "1 transactionid 71 Exclusive held", "2 transactionid 72 Exclusive held",
	        "1 transactionid 72 Share 0.3", "2 transactionid 71 Share 0.5", NULL },
	    "0:2/1 1:1/0 2:2!/1" },
	{ "a request whose holder is not visible is a head", { "5 transactionid 71 Share 3", NULL },
	    "0:5/0" },
	{ "who holds what the queue waits for goes before it",
	    { "1 relation 9 AccessShare held", "2 relation 9 AccessShare held",
	        "3 relation 9 AccessExclusive 50", "1 relation 9 ShareUpdateExclusive 40",
	        "4 relation 9 ShareUpdateExclusive held", NULL },
	    "0:2/0 1:3/0 0:4/1 1:1/0 2:3!/0 1:3!/0" },
};

static void
trees(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++) {
		struct scene s = { .locks = lock_rows_new(), .sessions = activity_rows_new() };
		struct strbuf out = STRBUF_INIT(4096);

		for (int k = 0; examples[i].rows[k]; k++)
			lock_rows_add(s.locks, examples[i].rows[k]);
		scene_build(&s);
		draw(&s.l, &out);
		if (strcmp(out.buf, examples[i].tree) != 0)
			print_error("%s:\n", examples[i].name);
		assert_string_equal(out.buf, examples[i].tree);
		strbuf_release(&out);
		scene_release(&s);
	}
}

/* Holders first, then the queue in its order, as pg_blocking_pids() has it. */
static void
blockers(void **state)
{
	struct scene s = { .locks = lock_rows_new(), .sessions = activity_rows_new() };
	const struct lock_wait *w;

	(void)state;
	lock_rows_add(s.locks, "1 relation 9 AccessShare held");
	lock_rows_add(s.locks, "0:g relation 9 RowExclusive held");
	lock_rows_add(s.locks, "2 relation 9 AccessExclusive 50");
	lock_rows_add(s.locks, "4 relation 9 AccessShare 20");
	lock_rows_add(s.locks, "3 relation 9 Share 40");
	scene_build(&s);
	w = locks_wait(&s.l, 2);
	assert_non_null(w);
	assert_int_equal(w->nblockers, 2);
	assert_int_equal(w->nhard, 2);
	assert_int_equal(w->blockers[0], 1);
	assert_int_equal(w->blockers[1], 0);
	assert_true(fabs(locks_wait_s(&s.l, w) - 50) < 1e-6);
	w = locks_wait(&s.l, 3);
	assert_int_equal(w->nblockers, 2); /* the prepared one, and the queue's first */
	assert_int_equal(w->blockers[1], 2);
	w = locks_wait(&s.l, 4);
	assert_int_equal(w->nblockers, 1);
	assert_int_equal(w->nhard, 0);
	assert_int_equal(w->blockers[0], 2);
	assert_null(locks_wait(&s.l, 1));
	assert_int_equal(locks_node(&s.l, 1)->blocks, 1);
	assert_int_equal(locks_node(&s.l, 2)->blocks, 2);
	assert_null(locks_node(&s.l, 77));
	scene_release(&s);
}

/* One holder, one at the head of the row's queue, the others behind: no list may be written out per
 * waiter. */
static void
long_queue(void **state)
{
	enum { WAITERS = 500 };
	struct scene s = { .locks = lock_rows_new(), .sessions = activity_rows_new() };
	char line[80];

	(void)state;
	lock_rows_add(s.locks, "1 transactionid 71 Exclusive held");
	lock_rows_add(s.locks, "1000 transactionid 71 Share 900");
	lock_rows_add(s.locks, "1000 tuple 50 Exclusive held");
	for (int i = 1; i < WAITERS; i++) {
		snprintf(line, sizeof(line), "%d tuple 50 Exclusive %d", 1000 + i, 900 - i);
		lock_rows_add(s.locks, line);
	}
	scene_build(&s);
	assert_int_equal(s.l.nplaces, WAITERS + 1);
	assert_int_equal(s.l.nwaits, WAITERS);
	assert_int_equal(s.l.nheads, 1);
	assert_int_equal(locks_node(&s.l, 1)->frees, WAITERS);
	assert_int_equal(locks_node(&s.l, 1)->blocks, 1);
	assert_int_equal(locks_node(&s.l, 1000)->frees, 0);
	assert_int_equal(locks_node(&s.l, 1000)->blocks, WAITERS - 1);
	assert_int_equal(locks_node(&s.l, 1001)->blocks, WAITERS - 2);
	assert_int_equal(locks_wait(&s.l, 1499)->nblockers, WAITERS - 1);
	/* All of one list, and nothing like the 125,000 edges in memory. */
	assert_ptr_equal(locks_wait(&s.l, 1499)->blockers, locks_wait(&s.l, 1200)->blockers);
	assert_true(s.arena.bytes < 400 * 1024);
	for (int i = 1; i < WAITERS; i++)
		assert_int_equal(s.l.nodes[s.l.places[1 + i].node].pid, 1000 + i);
	scene_release(&s);
}

/* Workers are their leader's: they block as it, wait as it, and never wait for each other. */
static void
parallel_group(void **state)
{
	struct scene s = { .locks = lock_rows_new(), .sessions = activity_rows_new() };
	struct strbuf out = STRBUF_INIT(4096);

	(void)state;
	activity_rows_add(s.sessions, 10, 0, "active", 60);
	activity_rows_add(s.sessions, 11, 10, "active", 60);
	activity_rows_add(s.sessions, 12, 10, "active", 60);
	activity_rows_add(s.sessions, 20, 0, "active", 30);
	activity_rows_add(s.sessions, 30, 0, "active", 90);
	lock_rows_add(s.locks, "11 relation 9 AccessShare held");
	lock_rows_add(s.locks, "12 relation 9 AccessShare held");
	lock_rows_add(s.locks, "20 relation 9 AccessExclusive 30");
	lock_rows_add(s.locks, "30 relation 8 AccessExclusive held");
	lock_rows_add(s.locks, "12 relation 8 AccessShare 10");
	scene_build(&s);
	draw(&s.l, &out);
	assert_string_equal(out.buf, "0:30/2 1:10/1 2:20/0");
	assert_int_equal(
	    locks_wait(&s.l, 20)->nblockers, 2); /* two processes, as the server says */
	assert_int_equal(locks_wait(&s.l, 20)->blockers[0], 10);
	assert_int_equal(locks_wait(&s.l, 20)->blockers[1], 10);
	assert_ptr_equal(locks_node(&s.l, 11), locks_node(&s.l, 10));
	assert_int_equal(locks_node(&s.l, 10)->blocks, 1);
	assert_int_equal(locks_node(&s.l, 30)->frees, 2);
	strbuf_release(&out);
	scene_release(&s);
}

/* Before 14 nobody tells when a wait began: the statement's start must do. */
static void
order_without_waitstart(void **state)
{
	struct scene s = { .locks = lock_rows_new(), .sessions = activity_rows_new() };
	struct strbuf out = STRBUF_INIT(4096);

	(void)state;
	activity_rows_add(s.sessions, 1, 0, "idle in transaction", 90);
	activity_rows_add(s.sessions, 2, 0, "active", 20);
	activity_rows_add(s.sessions, 3, 0, "active", 40);
	lock_rows_add(s.locks, "1 relation 9 AccessShare held");
	lock_rows_add(s.locks, "2 relation 9 AccessShare ?");
	lock_rows_add(s.locks, "3 relation 9 AccessExclusive ?");
	scene_build(&s);
	draw(&s.l, &out);
	assert_string_equal(out.buf, "0:1/2 1:3/1 2:2/0");
	assert_false(locks_wait(&s.l, 3)->is_start_exact);
	strbuf_release(&out);
	scene_release(&s);
}

static void
held_and_wanted(void **state)
{
	struct scene s = { .locks = lock_rows_new(), .sessions = activity_rows_new() };
	const struct lock_node *n;

	(void)state;
	lock_rows_add(s.locks, "1 relation 9 AccessShare held");
	lock_rows_add(s.locks, "1 relation 9 RowExclusive held");
	lock_rows_add(s.locks, "1 relation 9 ShareUpdateExclusive held");
	lock_rows_add(s.locks, "2 relation 9 Share 5");
	scene_build(&s);
	n = locks_node(&s.l, 1);
	assert_int_equal(n->held_mode, LOCK_SHARE_UPDATE_EXCLUSIVE);
	assert_int_equal(n->held_row, 2);
	assert_int_equal(locks_node(&s.l, 2)->held_row, -1);
	assert_int_equal(locks_wait(&s.l, 2)->mode, LOCK_SHARE);
	scene_release(&s);
}

/* The table of the manual, chapter "Explicit Locking": X where two modes conflict. */
static void
conflict_table(void **state)
{
	static const char *const table[] = {
		".......X",
		"......XX",
		"....XXXX",
		"...XXXXX",
		"..XX.XXX",
		"..XXXXXX",
		".XXXXXXX",
		"XXXXXXXX",
	};

	(void)state;
	for (int a = 0; a < 8; a++)
		for (int b = 0; b < 8; b++)
			assert_int_equal(
			    lock_modes_conflict((enum lock_mode)(a + 1), (enum lock_mode)(b + 1)),
			    table[a][b] == 'X');
	struct cell name = cell_text("ShareRowExclusiveLock"), none = cell_text("SIReadLock");
	assert_int_equal(lock_mode_of(&name), LOCK_SHARE_ROW_EXCLUSIVE);
	assert_int_equal(lock_mode_of(&none), LOCK_NONE);
}

/* Many holders and many exclusive requests: places are bounded, and it is said that some are
 * missing. */
static void
bounded(void **state)
{
	struct scene s = { .locks = lock_rows_new(), .sessions = activity_rows_new() };
	char line[80];

	(void)state;
	for (int i = 0; i < 300; i++) {
		snprintf(line, sizeof(line), "%d relation 9 AccessShare held", 100 + i);
		lock_rows_add(s.locks, line);
		snprintf(line, sizeof(line), "%d relation 9 AccessExclusive %d", 1000 + i, 500 - i);
		lock_rows_add(s.locks, line);
	}
	scene_build(&s);
	assert_true(s.l.is_cut);
	assert_int_equal(s.l.nheads, 300);
	assert_true(s.l.nplaces <= 300 + 300 + 1000);
	assert_int_equal(locks_wait(&s.l, 1299)->nblockers, 599);
	scene_release(&s);
}

/* A recording may hold any depth; no server has so many sessions, and no stack so much room. */
static void
deep_chain(void **state)
{
	enum { DEEP = 60000 };
	struct scene s = { .locks = lock_rows_new(), .sessions = activity_rows_new() };
	char line[80];

	(void)state;
	/* Told from the far end: each one leads to the next before it is known itself. */
	for (int i = DEEP; i > 1; i--) {
		snprintf(line, sizeof(line), "%d transactionid %d Exclusive held", i, 100000 + i);
		lock_rows_add(s.locks, line);
		snprintf(line, sizeof(line), "%d transactionid %d Share 9", i, 100000 + i - 1);
		lock_rows_add(s.locks, line);
	}
	lock_rows_add(s.locks, "1 transactionid 100001 Exclusive held");
	scene_build(&s);
	assert_int_equal(s.l.nheads, 1);
	scene_release(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trees),
		cmocka_unit_test(blockers),
		cmocka_unit_test(long_queue),
		cmocka_unit_test(parallel_group),
		cmocka_unit_test(order_without_waitstart),
		cmocka_unit_test(held_and_wanted),
		cmocka_unit_test(conflict_table),
		cmocka_unit_test(bounded),
		cmocka_unit_test(deep_chain),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
