/* Who counts as load, and as which wait class. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/load.h"

static const char *const names[] = {
	"pid",
	"datid",
	"usesysid",
	"application",
	"client",
	"state",
	"wait_type",
	"wait_event",
	"backend_type",
	"query_id",
};
static const uint8_t types[] = {
	CELL_INT,
	CELL_INT,
	CELL_INT,
	CELL_TEXT,
	CELL_TEXT,
	CELL_TEXT,
	CELL_TEXT,
	CELL_TEXT,
	CELL_TEXT,
	CELL_INT,
};

struct row {
	int pid;
	const char *type, *state, *wait_type, *wait_event;
};

static struct rowset *
activity(const struct row *rows, int n)
{
	struct rowset *rs = rowset_new((int)ARRAY_LEN(names), names, types);
	for (int i = 0; i < n; i++) {
		struct cell *c = rowset_add(rs);
		c[0] = cell_int(rows[i].pid);
		c[1] = cell_int(16384);
		c[2] = cell_int(10);
		c[3] = cell_text("app");
		c[4] = cell_text("[local]");
		c[5] = cell_text(rows[i].state);
		c[6] = cell_text(rows[i].wait_type);
		c[7] = cell_text(rows[i].wait_event);
		c[8] = cell_text(rows[i].type);
		c[9] = cell_int(42);
	}
	return rs;
}

/* Load entries of one row. */
static int
count_one(struct row row)
{
	struct series s = { .n = 0 };
	struct hmap map = { .n = 0 };
	struct load loads[4];
	struct rowset *rs = activity(&row, 1);
	int own = 99, n = load_sample(&s, rs, &map, &own, 1, loads);
	rowset_unref(rs);
	series_release(&s);
	return n;
}

static void
test_who_counts(void **state)
{
	(void)state;
	assert_int_equal(count_one((struct row){ 1, "client backend", "active", NULL, NULL }), 1);
	assert_int_equal(
	    count_one((struct row){ 1, "client backend", "active", "Client", "ClientRead" }), 1);
	assert_int_equal(
	    count_one((struct row){ 1, "client backend", "idle", "Client", "ClientRead" }), 0);
	assert_int_equal(
	    count_one((struct row){ 1, "client backend", "idle in transaction", NULL, NULL }), 0);
	assert_int_equal(count_one((struct row){ 1, "client backend", NULL, NULL, NULL }), 0);
	assert_int_equal(
	    count_one((struct row){ 1, "parallel worker", "active", "IPC", "MessageQueueSend" }),
	    1);
	assert_int_equal(
	    count_one((struct row){ 1, "autovacuum worker", "active", "Timeout", "VacuumDelay" }),
	    1);
	assert_int_equal(
	    count_one((struct row){ 1, "walsender", "active", "Activity", "WalSenderMain" }), 0);
	assert_int_equal(
	    count_one((struct row){ 1, "walsender", "active", "Client", "WalSenderWaitForWAL" }),
	    0);
	assert_int_equal(
	    count_one((struct row){ 1, "checkpointer", NULL, "Activity", "CheckpointerMain" }), 0);
	assert_int_equal(
	    count_one((struct row){ 1, "checkpointer", NULL, "Timeout", "CheckpointWriteDelay" }),
	    0);
	assert_int_equal(
	    count_one((struct row){ 1, "checkpointer", NULL, "IO", "DataFileSync" }), 1);
	assert_int_equal(count_one((struct row){ 99, "client backend", "active", NULL, NULL }), 0);
}

static void
test_classes(void **state)
{
	(void)state;
	struct cell none = cell_null(WHY_NONE), io = cell_text("IO"), pin = cell_text("BufferPin");
	struct cell later = cell_text("InjectionPoint");
	assert_int_equal(wait_class_of(&none), WAIT_CPU);
	assert_int_equal(wait_class_of(&io), WAIT_IO);
	assert_int_equal(wait_class_of(&pin), WAIT_BUFFERPIN);
	assert_int_equal(wait_class_of(&later), WAIT_EXTENSION);
}

static void
test_merge_and_names(void **state)
{
	(void)state;
	const struct row rows[] = {
		{ 1, "client backend", "active", "Lock", "transactionid" },
		{ 2, "client backend", "active", NULL, NULL },
		{ 3, "client backend", "active", "Lock", "transactionid" },
	};
	struct series s = { .n = 0 };
	struct hmap map = { .n = 0 };
	struct load loads[8];
	hmap_put(&map, load_key_database(16384), series_intern(&s, "shop", 4));
	struct rowset *rs = activity(rows, 3);
	assert_int_equal(load_sample(&s, rs, &map, NULL, 0, loads), 2);
	assert_int_equal(loads[0].count, 2);
	assert_int_equal(loads[0].wait_class, WAIT_LOCK);
	assert_string_equal(series_text(&s, loads[0].event), "transactionid");
	assert_string_equal(series_text(&s, loads[0].database), "shop");
	assert_string_equal(series_text(&s, loads[0].user), "10"); /* not known yet: its oid */
	assert_string_equal(series_text(&s, loads[1].event), "CPU");
	assert_int_equal(loads[1].query_id, 42);
	rowset_unref(rs);
	hmap_release(&map);
	series_release(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_counts),
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_merge_and_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
