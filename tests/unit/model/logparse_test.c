/* Server logs of each format into entries: what PostgreSQL 13 and 18 write, and what nobody should.
 */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "model/logparse.h"

enum { MAX = 64 };

struct kept {
	struct log_entry e[MAX];
	int n;
	struct arena arena;
};

static struct log_text
copy(struct kept *k, struct log_text t)
{
	return t.s ? (struct log_text){ arena_strndup(&k->arena, t.s, t.len), t.len } : t;
}

static void
take(void *arg, const struct log_entry *from)
{
	struct kept *k = arg;
	struct log_entry *e = &k->e[k->n < MAX ? k->n++ : MAX - 1];
	struct log_text *texts[] = { &e->user, &e->database, &e->application, &e->client,
		&e->session_id, &e->backend_type, &e->command_tag, &e->vxid, &e->sqlstate,
		&e->message, &e->detail, &e->hint, &e->query, &e->context, &e->statement,
		&e->location, &e->object };

	*e = *from;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		*texts[i] = copy(k, *texts[i]);
}

static struct kept *
parse_with(enum log_format format, const char *prefix, const struct log_zone *zone,
    const char *text, size_t piece, bool is_middle)
{
	struct kept *k = xcalloc(1, sizeof(*k));
	struct log_parser *p = log_parser_new(format, prefix, zone);
	size_t len = strlen(text);

	log_parser_seek(p, is_middle ? 1000 : 0, is_middle);
	for (size_t at = 0; at < len; at += piece)
		log_parser_feed(p, text + at, len - at < piece ? len - at : piece, take, k);
	log_parser_flush(p, take, k);
	log_parser_free(p);
	return k;
}

static struct kept *
parse(enum log_format format, const char *prefix, const char *text)
{
	return parse_with(format, prefix, NULL, text, 7, false);
}

static void
done(struct kept *k)
{
	arena_release(&k->arena);
	free(k);
}

#define TEXT(t, expected)                                      \
	do {                                                   \
		assert_non_null((t).s);                        \
		assert_int_equal((t).len, strlen(expected));   \
		assert_memory_equal((t).s, expected, (t).len); \
	} while (0)

static const char deadlock[] =
    "2026-11-21 17:57:25.798 UTC [3937] postgres@shop ERROR:  deadlock detected\n"
    "2026-11-21 17:57:25.798 UTC [3937] postgres@shop DETAIL:  Process 3937 waits for ShareLock on transaction 488; blocked by process 3943.\n"
    "\tProcess 3943 waits for ShareLock on transaction 486; blocked by process 3937.\n"
    "\tProcess 3937: update t set v='b'\n"
    "\tProcess 3943: update t\n"
    "\t  set v='a'\n"
    "2026-11-21 17:57:25.798 UTC [3937] postgres@shop HINT:  See server log for query details.\n"
    "2026-11-21 17:57:25.798 UTC [3937] postgres@shop CONTEXT:  while updating tuple (0,1) in relation \"t\"\n"
    "2026-11-21 17:57:25.798 UTC [3937] postgres@shop STATEMENT:  update t set v='b'\n"
    "2026-11-21 17:57:25.799 UTC [1517] LOG:  checkpoint complete: wrote 672 buffers (32.8%); write=0.008 s, sync=0.008 s, total=0.099 s; sync files=49\n";

static void
stderr_entries(void **state)
{
	struct kept *k = parse(LOGFORMAT_STDERR, "%m [%p] %q%u@%d ", deadlock);
	const struct log_entry *e = &k->e[0];

	(void)state;
	assert_int_equal(k->n, 2);
	assert_int_equal(e->kind, LOGKIND_DEADLOCK);
	assert_int_equal(e->severity, LOGSEV_ERROR);
	assert_true(e->time_us == INT64_C(1795283845798000));
	assert_int_equal(e->pid, 3937);
	TEXT(e->user, "postgres");
	TEXT(e->database, "shop");
	TEXT(e->message, "deadlock detected");
	TEXT(e->hint, "See server log for query details.");
	TEXT(e->context, "while updating tuple (0,1) in relation \"t\"");
	TEXT(e->statement, "update t set v='b'");
	assert_non_null(strstr(e->detail.s, "Process 3943: update t\n  set v='a'"));
	assert_int_equal(e->nparties, 2);
	assert_int_equal(e->parties[0], 3937);
	assert_int_equal(e->parties[1], 3943);
	assert_int_equal(e->offset, 0);
	e = &k->e[1];
	assert_int_equal(e->kind, LOGKIND_CHECKPOINT);
	assert_int_equal(e->pid, 1517);
	assert_null(e->user.s);
	assert_true(fabs(e->duration_ms - 99) < 1e-9);
	done(k);
}

/* The same entry with each way to write a prefix. */
static void
prefixes(void **state)
{
	static const struct {
		const char *prefix, *line;
	} cases[] = {
		{ "%m [%p] ", "2026-11-21 17:57:25.500 UTC [42] ERROR:  oops\n" },
		{ "%t:%r:%u@%d:[%p]:",
		    "2026-11-21 17:57:25 UTC:10.0.0.1(5432):bob@shop:[42]:ERROR:  oops\n" },
		{ "%n %p %e ", "1795283845.500 42 22012 ERROR:  oops\n" },
		{ "%p %c %l %m %s %v %x %Q %b %i %a %L: ",
		    "42 6b01db70.2a 7 2026-11-21 17:57:25.500 UTC 2026-11-21 17:57:04 UTC 4/12 759 -220 client backend SELECT my app: x [local]: ERROR:  oops\n" },
		{ "%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
		    "2026-11-21 17:57:25 UTC [42]: [7-1] user=bob,db=shop,app=psql,client=::1 ERROR:  oops\n" },
		{ "%-6p|%12u|%%|", "42    |         bob|%|ERROR:  oops\n" },
		{ "%p:%u%d ", "42:bobshop ERROR:  oops\n" },
		{ "", "ERROR:  oops\n" },
		/* another prefix than it was when this was written, or none that is known */
		{ "%p nothing like it ",
		    "2026-11-21 17:57:25.500 UTC [42] bob@shop ERROR:  oops\n" },
		{ NULL, "2026-11-21 17:57:25 UTC:10.0.0.1(5432):bob@shop:[42]:ERROR:  oops\n" },
		{ NULL, "<2026-11-21 17:57:25.500 UTC> host bob [42] ERROR:  oops\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct kept *k = parse(LOGFORMAT_STDERR, cases[i].prefix, cases[i].line);

		assert_int_equal(k->n, 1);
		assert_int_equal(k->e[0].severity, LOGSEV_ERROR);
		TEXT(k->e[0].message, "oops");
		if (*(cases[i].prefix ? cases[i].prefix : "x"))
			assert_int_equal(k->e[0].pid, 42);
		if (k->e[0].time_us)
			assert_true(k->e[0].time_us / 1000000 == 1795283845);
		done(k);
	}
}

/* An abbreviation is that of the server's zone. */
static void
zones(void **state)
{
	static const struct log_zone india = { { { "IST", 19800 }, { "IDT", 0 } } },
	                             israel = { { { "IST", 7200 }, { "IDT", 10800 } } };
	int64_t us, utc;
	size_t used;

	(void)state;
	assert_true(logtime_read(NULL, "2026-11-21 17:57:25.5 UTC", 25, &utc, &used));
	assert_int_equal(used, 25);
	assert_true(logtime_read(&india, "2026-11-21 17:57:25.5 IST", 25, &us, &used));
	assert_true(utc - us == INT64_C(19800000000));
	assert_true(logtime_read(&israel, "2026-11-21 17:57:25.5 IST", 25, &us, &used));
	assert_true(utc - us == INT64_C(7200000000));
	assert_true(logtime_read(&israel, "2026-06-21 17:57:25.5 IDT", 25, &us, &used));
	assert_true(logtime_read(NULL, "2026-11-21 17:57:25.5 +0530", 27, &us, &used));
	assert_true(utc - us == INT64_C(19800000000));
	assert_true(logtime_read(NULL, "2026-11-21 17:57:25.5 -03", 25, &us, &used));
	assert_true(us - utc == INT64_C(10800000000));
	/* Where nobody was asked. */
	assert_true(logtime_read(NULL, "2026-11-21 17:57:25.5 NZDT", 26, &us, &used));
	assert_true(utc - us == INT64_C(46800000000));
	assert_false(logtime_read(NULL, "2026-13-21 17:57:25 UTC", 23, &us, &used));
	assert_false(logtime_read(NULL, "2026-11-21", 10, &us, &used));
}

static const char csv13[] =
    "2026-11-21 17:57:04.589 UTC,,,1517,,6b01db70.5ed,1,,2026-11-21 17:57:04 UTC,,0,LOG,00000,\"listening on IPv4 address \"\"127.0.0.1\"\", port 58413\",,,,,,,,,\"\",\"postmaster\"\n"
    "2026-11-21 17:57:26.312 UTC,\"bob\",\"shop\",4221,\"10.0.0.1:56928\",6b01db86.107d,5,\"DO\",2026-11-21 17:57:26 UTC,4/12,0,ERROR,P0001,\"multi\nline \"\"error\"\"\",\"more\",\"a hint\",,,\"PL/pgSQL function\",\"do $$begin\nend$$\",,,\"psql\",\"client backend\"\n";
static const char csv18[] =
    "2026-11-21 17:57:09.283 UTC,\"bob\",\"shop\",2185,\"[local]\",6b01db75.889,1,\"SELECT\",2026-11-21 17:57:09 UTC,1/2,757,LOG,00000,\"duration: 1001.593 ms  statement: select 1\",,,,,,,,,\"\",\"parallel worker\",2180,-88\n";

static void
csv_entries(void **state)
{
	struct kept *k = parse(LOGFORMAT_CSV, NULL, csv13);
	const struct log_entry *e = &k->e[1];

	(void)state;
	assert_int_equal(k->n, 2);
	TEXT(k->e[0].message, "listening on IPv4 address \"127.0.0.1\", port 58413");
	TEXT(k->e[0].backend_type, "postmaster");
	assert_null(k->e[0].sqlstate.s);
	TEXT(e->message, "multi\nline \"error\"");
	TEXT(e->detail, "more");
	TEXT(e->hint, "a hint");
	TEXT(e->statement, "do $$begin\nend$$");
	TEXT(e->client, "10.0.0.1");
	TEXT(e->application, "psql");
	TEXT(e->sqlstate, "P0001");
	assert_int_equal(e->line_num, 5);
	done(k);
	k = parse(LOGFORMAT_CSV, NULL, csv18);
	assert_int_equal(k->n, 1);
	assert_int_equal(k->e[0].kind, LOGKIND_SLOW);
	assert_true(fabs(k->e[0].duration_ms - 1001.593) < 1e-9);
	TEXT(k->e[0].statement, "select 1");
	TEXT(k->e[0].client, "[local]");
	assert_int_equal(k->e[0].leader_pid, 2180);
	assert_int_equal(k->e[0].query_id, -88);
	assert_int_equal(k->e[0].xid, 757);
	done(k);
}

static void
json_entries(void **state)
{
	static const char text[] =
	    "{\"timestamp\":\"2026-11-21 17:57:32.457 UTC\",\"user\":\"b\\u00f6b\",\"dbname\":\"shop\",\"pid\":4630,\"remote_host\":\"10.0.0.1\",\"remote_port\":5,"
	    "\"error_severity\":\"ERROR\",\"state_code\":\"40P01\",\"message\":\"deadlock \\\"detected\\\"\","
	    "\"detail\":\"Process 4630 waits for ShareLock on transaction 758; blocked by process 4631.\\nProcess 4631 waits for ShareLock on transaction 757; blocked by process 4630.\","
	    "\"statement\":\"select '\\ud83d\\ude00\\ud83d'\",\"application_name\":\"psql\",\"backend_type\":\"client backend\",\"query_id\":-22}\n"
	    "not json\n"
	    "{\"timestamp\":\"2026-11-21 17:57:33 UTC\",\"pid\":1,\"error_severity\":\"LOG\",\"message\":\"automatic vacuum of table \\\"a.b.c\\\": index scans: 0\\nsystem usage: CPU: user: 0.02 s, elapsed: 0.05 s\"}\n";
	struct kept *k = parse(LOGFORMAT_JSON, NULL, text);
	const struct log_entry *e = &k->e[0];

	(void)state;
	assert_int_equal(k->n, 2);
	assert_int_equal(e->kind, LOGKIND_DEADLOCK);
	TEXT(e->user,
	    "b\xc3\xb6"
	    "b");
	TEXT(e->message, "deadlock \"detected\"");
	TEXT(e->statement, "select '\xf0\x9f\x98\x80\xef\xbf\xbd'");
	assert_int_equal(e->nparties, 2);
	assert_int_equal(e->parties[1], 4631);
	assert_int_equal(e->query_id, -22);
	e = &k->e[1];
	assert_int_equal(e->kind, LOGKIND_AUTOVACUUM);
	TEXT(e->object, "a.b.c");
	assert_true(fabs(e->duration_ms - 50) < 1e-9);
	done(k);
}

static void
kinds(void **state)
{
	static const struct {
		const char *line;
		enum log_kind kind;
		double duration_ms;
	} cases[] = {
		{ "LOG:  duration: 2.5 ms  execute <unnamed>: select $1", LOGKIND_SLOW, 2.5 },
		{ "LOG:  duration: 2.5 ms", LOGKIND_SLOW, 2.5 },
		{ "LOG:  duration: 3.5 ms  plan:", LOGKIND_PLAN, 3.5 },
		{ "LOG:  statement: drop table t", LOGKIND_STATEMENT, NAN },
		{ "LOG:  process 12 still waiting for ShareLock on transaction 757 after 1000.5 ms",
		    LOGKIND_LOCK_WAIT, 1000.5 },
		{ "LOG:  process 12 acquired AccessShareLock on relation 1 of database 5 after 818.0 ms at character 22",
		    LOGKIND_LOCK_WAIT, 818 },
		{ "ERROR:  canceling statement due to lock timeout", LOGKIND_CANCEL, NAN },
		{ "FATAL:  terminating connection due to administrator command", LOGKIND_CANCEL,
		    NAN },
		{ "FATAL:  password authentication failed for user \"x\"", LOGKIND_AUTH, NAN },
		{ "FATAL:  sorry, too many clients already", LOGKIND_AUTH, NAN },
		{ "LOG:  connection authorized: user=a database=b", LOGKIND_CONNECT, NAN },
		{ "LOG:  disconnection: session time: 1:02:03.500 user=a", LOGKIND_DISCONNECT,
		    3723500 },
		{ "LOG:  temporary file: path \"base/pgsql_tmp/pgsql_tmp1.0\", size 4096",
		    LOGKIND_TEMP_FILE, NAN },
		{ "LOG:  restartpoint complete: wrote 1 buffers; total=1.5 s", LOGKIND_CHECKPOINT,
		    1500 },
		{ "LOG:  automatic aggressive vacuum of table \"a.b.c\": index scans: 1",
		    LOGKIND_AUTOVACUUM, NAN },
		{ "LOG:  automatic analyze of table \"a.b.c\" system usage: CPU: elapsed: 0.07 s",
		    LOGKIND_AUTOANALYZE, 70 },
		{ "LOG:  archive command failed with exit code 1", LOGKIND_ARCHIVE, NAN },
		{ "LOG:  started streaming WAL from primary at 0/3000000 on timeline 1",
		    LOGKIND_REPLICATION, NAN },
		{ "ERROR:  requested WAL segment 000000010000000000000001 has already been removed",
		    LOGKIND_REPLICATION, NAN },
		{ "LOG:  server process (PID 7) was terminated by signal 9: Killed", LOGKIND_CRASH,
		    NAN },
		{ "LOG:  parameter \"work_mem\" changed to \"8MB\"", LOGKIND_SETTINGS, NAN },
		{ "LOG:  database system is ready to accept connections", LOGKIND_SERVER, NAN },
		{ "WARNING:  there is no transaction in progress", LOGKIND_WARNING, NAN },
		{ "ERROR:  division by zero", LOGKIND_ERROR, NAN },
		{ "LOG:  hello", LOGKIND_OTHER, NAN },
		{ "cp: cannot stat 'x'", LOGKIND_OUTPUT, NAN },
		/* other languages */
		{ "LOG:  Dauer: 12.5 ms  Anweisung: SELECT 1", LOGKIND_SLOW, 12.5 },
		{ "ERREUR:  interblocage (deadlock) détecté", LOGKIND_DEADLOCK, NAN },
		{ "ОШИБКА:  деление на ноль", LOGKIND_ERROR, NAN },
		{ "警告:  x", LOGKIND_WARNING, NAN },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct kept *k = parse(LOGFORMAT_STDERR, "", cases[i].line);

		/* Without its line break the last line may not be whole. */
		assert_int_equal(k->n, 0);
		done(k);
		struct strbuf line = STRBUF_INIT(4096);
		strbuf_addf(&line, "%s\n", cases[i].line);
		k = parse(LOGFORMAT_STDERR, "", line.buf);
		assert_int_equal(k->n, 1);
		if (k->e[0].kind != cases[i].kind)
			fail_msg("%s is %s", cases[i].line, log_kinds[k->e[0].kind].name);
		assert_true(isnan(cases[i].duration_ms) ?
		        isnan(k->e[0].duration_ms) :
		        fabs(k->e[0].duration_ms - cases[i].duration_ms) < 1e-6);
		strbuf_release(&line);
		done(k);
	}
}

/* A language that is not known: lines are told apart by the prefix, and judged by SQLSTATE. */
static void
strange_language(void **state)
{
	struct kept *k = parse(LOGFORMAT_STDERR, "%p %e ",
	    "7 22012 BŁĄD:  dzielenie przez zero\n7 00000 DZIENNIK:  punkt kontrolny\n");

	(void)state;
	assert_int_equal(k->n, 2);
	assert_int_equal(k->e[0].severity, LOGSEV_ERROR);
	assert_true(k->e[0].is_strange);
	TEXT(k->e[0].message, "dzielenie przez zero");
	assert_int_equal(k->e[1].severity, LOGSEV_LOG);
	done(k);
}

/* From the middle of a file on: nothing is made of halves. */
static void
begins_in_the_middle(void **state)
{
	const char *inner = strstr(csv13, "line \"\"error");
	struct kept *k;
	struct strbuf text = STRBUF_INIT(1 << 20);

	(void)state;
	k = parse_with(LOGFORMAT_STDERR, "%m [%p] %q%u@%d ", NULL, deadlock + 10, 11, true);
	assert_int_equal(k->n, 1);
	assert_int_equal(k->e[0].kind, LOGKIND_CHECKPOINT);
	done(k);
	strbuf_addf(&text, "%s%s%s", inner, csv13, csv18);
	k = parse_with(LOGFORMAT_CSV, NULL, NULL, text.buf, 13, true);
	assert_int_equal(k->n, 3);
	strbuf_release(&text);
	done(k);
}

/* Hostile: NULs, broken UTF-8, escapes, a line without an end. */
static void
hostile(void **state)
{
	static const char bytes[] = "1 ERROR:  a\0b\xff\x1b]52;c;x\a\n";
	struct log_parser *p = log_parser_new(LOGFORMAT_STDERR, "%p ", NULL);
	struct kept *k = xcalloc(1, sizeof(*k));
	char *block = xmalloc(1 << 20);

	(void)state;
	log_parser_feed(p, bytes, sizeof(bytes) - 1, take, k);
	log_parser_feed(p, "2 LOG:  ", 8, take, k);
	memset(block, 'x', 1 << 20);
	for (int i = 0; i < 10; i++)
		log_parser_feed(p, block, 1 << 20, take, k);
	log_parser_flush(p, take, k);
	assert_int_equal(k->n, 0); /* the line that has not ended may belong to the first entry */
	log_parser_feed(p, "\n3 LOG:  after\n", 15, take, k);
	log_parser_flush(p, take, k);
	assert_int_equal(k->n, 3);
	assert_int_equal(k->e[0].message.len, 13);
	assert_true(k->e[1].is_cut);
	assert_true(k->e[1].message.len <= 64 << 10);
	assert_int_equal(k->e[1].offset, sizeof(bytes) - 1);
	TEXT(k->e[2].message, "after");
	log_parser_free(p);
	free(block);
	done(k);
}

/* RDS puts a mark where a portion ends within a message. */
static void
truncated_by_rds(void **state)
{
	struct kept *k = parse(LOGFORMAT_STDERR, NULL,
	    "2026-11-21 17:57:25 UTC:10.0.0.1(5):bob@shop:[42]:LOG:  duration: 5.0 ms  statement: select\n"
	    "\tlong\n[Your log message was truncated]\n"
	    "2026-11-21 17:57:26 UTC::@:[43]:LOG:  checkpoint starting: time\n");

	(void)state;
	assert_int_equal(k->n, 2);
	assert_true(k->e[0].is_cut);
	TEXT(k->e[0].client, "10.0.0.1");
	TEXT(k->e[0].user, "bob");
	assert_null(k->e[1].user.s);
	done(k);
	/* The cut takes the quote that ends the text: what follows is a record all the same. */
	k = parse(LOGFORMAT_CSV, NULL,
	    "2026-11-21 17:57:09.283 UTC,\"bob\",\"shop\",2185,\"[local]\",6b01db75.889,1,\"SELECT\",2026-11-21 17:57:09 UTC,1/2,757,LOG,00000,\"duration: 5 ms  statement: select [Your log message was truncated]\n"
	    "2026-11-21 17:57:10.283 UTC,\"bob\",\"shop\",2186,\"[local]\",6b01db75.889,1,\"SELECT\",2026-11-21 17:57:09 UTC,1/2,757,LOG,00000,\"after it\",,,,,,,,,\"\",\"client backend\",,0\n");
	assert_true(k->n >= 1);
	assert_int_equal(k->e[k->n - 1].pid, 2186);
	done(k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stderr_entries),
		cmocka_unit_test(prefixes),
		cmocka_unit_test(zones),
		cmocka_unit_test(csv_entries),
		cmocka_unit_test(json_entries),
		cmocka_unit_test(kinds),
		cmocka_unit_test(strange_language),
		cmocka_unit_test(begins_in_the_middle),
		cmocka_unit_test(hostile),
		cmocka_unit_test(truncated_by_rds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
