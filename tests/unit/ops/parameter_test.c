/* Values of parameters: units, bounds, lists, what is known to hurt; what storage of RDS allows. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ops/parameter.h"
#include "ops/rds_group.h"
#include "ops/rds_modify.h"

static const struct parameter work_mem = { "work_mem", "integer", "kB", "user", "64", "2147483647",
	"", false };
static const struct parameter shared_buffers = { "shared_buffers", "integer", "8kB", "postmaster",
	"16", "1073741823", "", false };
static const struct parameter naptime = { "autovacuum_naptime", "integer", "s", "sighup", "1",
	"2147483", "", false };
static const struct parameter cost = { "random_page_cost", "real", "", "user", "0", "1.79769e+308",
	"", false };
static const struct parameter fsync_off = { "fsync", "bool", "", "sighup", "", "", "", false };
static const struct parameter wal_level = { "wal_level", "enum", "", "postmaster", "", "",
	"minimal, replica, logical", false };
static const struct parameter libraries = { "shared_preload_libraries", "string", "", "postmaster",
	"", "", "", true };

static bool
takes(const struct parameter *p, const char *value)
{
	struct error err = { 0 };
	bool ok = parameter_check(p, value, &err);

	assert_true(ok || (*err.what && *err.hint));
	return ok;
}

static void
test_numbers(void **state)
{
	double n;

	(void)state;
	assert_true(parameter_number(&work_mem, "64MB", &n) && n == 65536);
	assert_true(parameter_number(&work_mem, "1 GB", &n) && n == 1048576);
	assert_true(parameter_number(&work_mem, "65536", &n) && n == 65536);
	assert_true(parameter_number(&shared_buffers, "128MB", &n) && n == 16384);
	assert_true(parameter_number(&naptime, "2min", &n) && n == 120);
	assert_true(parameter_number(&naptime, "1500ms", &n) && n == 2);
	assert_false(parameter_number(&work_mem, "64mb", &n)); /* as the server: case counts */
	assert_false(parameter_number(&work_mem, "5min", &n));
	assert_false(parameter_number(&cost, "1MB", &n));
	assert_false(parameter_number(&work_mem, "", &n));
	assert_false(parameter_number(&work_mem, "8kB kB", &n));
}

static void
test_check(void **state)
{
	(void)state;
	assert_true(takes(&work_mem, "64MB"));
	assert_false(takes(&work_mem, "63"));
	assert_false(takes(&work_mem, "lots"));
	assert_true(takes(&cost, "1.1"));
	assert_false(takes(&cost, "-1"));
	assert_true(takes(&fsync_off, "off"));
	assert_true(takes(&fsync_off, "f"));
	assert_false(takes(&fsync_off, "o"));
	assert_false(takes(&fsync_off, "perhaps"));
	assert_true(takes(&wal_level, "Logical"));
	assert_false(takes(&wal_level, "high"));
	assert_true(takes(&libraries, "a,b"));
	assert_false(takes(&libraries, ""));
	assert_false(takes(&libraries, "\"\" , "));
}

static void
test_same(void **state)
{
	char buf[64];

	(void)state;
	assert_true(parameter_same(&work_mem, "65536", "64MB"));
	assert_false(parameter_same(&work_mem, "65536", "65MB"));
	assert_true(parameter_same(&fsync_off, "on", "1"));
	assert_false(parameter_same(&fsync_off, "on", "off"));
	assert_true(parameter_same(&libraries, "a, b", "a,\"b\""));
	assert_false(parameter_same(&libraries, "a, b", "a"));
	assert_string_equal(parameter_show(&work_mem, "65536", buf, sizeof(buf)), "64MB");
	assert_string_equal(parameter_show(&work_mem, "100", buf, sizeof(buf)), "100kB");
	assert_string_equal(parameter_show(&shared_buffers, "16384", buf, sizeof(buf)), "128MB");
	assert_string_equal(parameter_show(&naptime, "120", buf, sizeof(buf)), "2min");
	assert_string_equal(parameter_show(&work_mem, "-1", buf, sizeof(buf)), "-1");
	assert_string_equal(parameter_show(&libraries, "", buf, sizeof(buf)), "''");
}

static void
test_warnings(void **state)
{
	(void)state;
	assert_non_null(parameter_warning(&fsync_off, "on", "off", NULL));
	assert_null(parameter_warning(&fsync_off, "off", "on", NULL));
	assert_non_null(parameter_warning(&work_mem, "4096", "64MB", NULL));
	assert_null(parameter_warning(&work_mem, "4096", "64kB", NULL));
	assert_null(parameter_warning(
	    &fsync_off, "on", "off", parameter_warning(&fsync_off, "on", "off", NULL)));
}

static void
test_allowed(void **state)
{
	(void)state;
	assert_true(rds_allowed("0,1", "1"));
	assert_false(rds_allowed("0,1", "2"));
	assert_true(rds_allowed("64-2147483647", "65536"));
	assert_false(rds_allowed("64-2147483647", "63"));
	assert_true(rds_allowed("-1-2147483647", "-1"));
	assert_true(rds_allowed("-1,5-9", "7"));
	assert_true(rds_allowed("none,ddl,mod,all", "ddl"));
	assert_false(rds_allowed("none,ddl,mod,all", "dd"));
	assert_true(rds_allowed("6-8388607", "LEAST({DBInstanceClassMemory/9531392},5000)"));
	assert_true(rds_allowed("", "anything"));
}

static bool
allows(const char *type, int now_gb, int now_iops, int gb, int *iops)
{
	struct rds_values v = { .storage_type = type,
		.storage_gb = now_gb,
		.iops = now_iops,
		.throughput = strcmp(type, "gp3") == 0 && now_gb >= 400 ? 500 : 0 };
	struct error err = { 0 };

	return rds_storage_allows(&v, gb, iops, &err);
}

static void
test_storage(void **state)
{
	int iops = 0;

	(void)state;
	assert_int_equal(rds_size_gb("200GB"), 200);
	assert_int_equal(rds_size_gb("1 TiB"), 1024);
	assert_int_equal(rds_size_gb("200"), 200);
	assert_int_equal(rds_size_gb("1.5GB"), 0);
	assert_int_equal(rds_size_gb("200MB"), 0);
	assert_int_equal(rds_size_gb("-1"), 0);
	/* gp3 has no choice below 400 GiB, and a base of 12000 from there on. */
	assert_true(allows("gp3", 100, 3000, 200, &iops) && iops == 0);
	iops = 5000;
	assert_false(allows("gp3", 100, 3000, 200, &iops));
	iops = 0;
	assert_true(allows("gp3", 100, 3000, 500, &iops) && iops == 0);
	iops = 11000;
	assert_false(allows("gp3", 500, 12000, 500, &iops));
	iops = 0;
	assert_true(allows("gp3", 500, 20000, 600, &iops) && iops == 20000);
	/* io1 wants them in each call, at most 50 for each GiB. */
	iops = 0;
	assert_true(allows("io1", 100, 3000, 200, &iops) && iops == 3000);
	iops = 6000;
	assert_false(allows("io1", 100, 3000, 110, &iops));
	iops = 3000;
	assert_false(allows("gp2", 100, 300, 200, &iops));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_allowed),
		cmocka_unit_test(test_storage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
