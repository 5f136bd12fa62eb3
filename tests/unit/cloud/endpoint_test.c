/* What the names of RDS's endpoints tell. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cloud/endpoint.h"
#include "pg/login.h"

/* China has had two forms. */
static void
regions_of_names(void **state)
{
	static const struct {
		const char *host, *region; /* NULL: none */
	} cases[] = {
		{ "db.abc123.eu-west-1.rds.amazonaws.com", "eu-west-1" },
		{ "db.cluster-ro-abc.us-gov-west-1.rds.amazonaws.com", "us-gov-west-1" },
		{ "db.abc123.cn-north-1.rds.amazonaws.com.cn", "cn-north-1" },
		{ "db.abc123.rds.cn-northwest-1.amazonaws.com.cn", "cn-northwest-1" },
		{ "db.abc123.eusc-de-east-1.rds.amazonaws.eu", "eusc-de-east-1" },
		{ "db.abc123.us-iso-east-1.rds.c2s.ic.gov", "us-iso-east-1" },
		{ "db.abc123.rds.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1" },
		{ "db.rds.example.com", NULL },
		{ "db.abc.eu-west-1.rds.amazonaws.com.example.com", NULL },
		{ "rds.eu-west-1.amazonaws.com", NULL },
		{ "db1", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char region[64] = "";

		assert_int_equal(endpoint_region(cases[i].host, region, sizeof(region)),
		    cases[i].region != NULL);
		if (cases[i].region)
			assert_string_equal(region, cases[i].region);
		assert_int_equal(pg_is_rds_host(cases[i].host), cases[i].region != NULL);
	}
}

static void
endpoints_in_a_conninfo(void **state)
{
	static const struct {
		const char *conninfo, *host;
	} cases[] = {
		{ "host=a.b.eu-west-1.rds.amazonaws.com port=5432",
		    "a.b.eu-west-1.rds.amazonaws.com" },
		{ "postgresql://u:p%40x@a.b.rds.cn-north-1.amazonaws.com.cn:5432/d?sslmode=require",
		    "a.b.rds.cn-north-1.amazonaws.com.cn" },
		{ "postgresql://db1,a.b.eu-west-1.rds.amazonaws.com/d",
		    "a.b.eu-west-1.rds.amazonaws.com" },
		{ "host='db1' dbname='.rds.amazonaws.com.x'", "" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char host[PG_RDS_HOST_MAX];

		assert_int_equal(
		    pg_rds_host_in(cases[i].conninfo, host, sizeof(host)), *cases[i].host != '\0');
		assert_string_equal(host, cases[i].host);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(regions_of_names),
		cmocka_unit_test(endpoints_in_a_conninfo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
