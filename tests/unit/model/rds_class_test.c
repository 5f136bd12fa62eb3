/* What is known of classes of RDS by their names. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "model/rds_class.h"

static void
classes(void **state)
{
	static const struct {
		const char *name;
		int vcpus, gib;
		bool is_burstable, has_nvme;
	} known[] = {
		{ "db.t3.micro", 2, 1, true, false },
		{ "db.t4g.2xlarge", 8, 32, true, false },
		{ "db.m5.large", 2, 8, false, false },
		{ "db.m6gd.xlarge", 4, 16, false, true },
		{ "db.r6g.2xlarge", 8, 64, false, false },
		{ "db.r5.24xlarge", 96, 768, false, false },
		{ "db.c6gd.medium", 1, 2, false, true },
		{ "db.x2iedn.xlarge", 4, 128, false, true },
		{ "db.x2g.large", 2, 32, false, false },
		{ "db.z1d.large", 2, 16, false, true },
		{ "db.r5.2xlarge.tpc2.mem4x", 0, 0, false, false },
		{ "db.r6g.odd", 0, 0, false, false },
		{ "db.serverless", 0, 0, false, false },
		{ "", 0, 0, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct rds_class c = rds_class_of(known[i].name);

		assert_int_equal(c.vcpus, known[i].vcpus);
		assert_int_equal(c.memory_bytes >> 30, known[i].gib);
		assert_int_equal(c.is_burstable, known[i].is_burstable);
		assert_int_equal(c.has_nvme, known[i].has_nvme);
		assert_int_equal(c.is_serverless, i == 12);
	}
	assert_true(rds_class_of("db.r6g.2xlarge").has_ebs_burst);
	assert_false(rds_class_of("db.r6g.4xlarge").has_ebs_burst);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(classes) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
