/* Calls of CloudWatch in JSON as the Query protocol has them, and its answers as JSON has them. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cloud/aws_priv.h"

static void
a_call(void **state)
{
	struct strbuf out = STRBUF_INIT(4096);
	struct error err = { 0 };

	(void)state;
	assert_true(aws_query_body(&out,
	    "{\"StartTime\":1795284000,\"MaxRecords\":100,\"MetricDataQueries\":[{\"Id\":\"q0\","
	    "\"MetricStat\":{\"Metric\":{\"MetricName\":\"EBSIOBalance%\",\"Dimensions\":[{\"Name\":"
	    "\"DBInstanceIdentifier\",\"Value\":\"a b\"}]},\"Period\":60},\"ReturnData\":true}]}",
	    &err));
	assert_string_equal(out.buf,
	    "&StartTime=2026-11-21T18%3A00%3A00Z&MaxRecords=100"
	    "&MetricDataQueries.member.1.Id=q0"
	    "&MetricDataQueries.member.1.MetricStat.Metric.MetricName=EBSIOBalance%25"
	    "&MetricDataQueries.member.1.MetricStat.Metric.Dimensions.member.1.Name="
	    "DBInstanceIdentifier"
	    "&MetricDataQueries.member.1.MetricStat.Metric.Dimensions.member.1.Value=a%20b"
	    "&MetricDataQueries.member.1.MetricStat.Period=60"
	    "&MetricDataQueries.member.1.ReturnData=true");
	strbuf_clear(&out);
	assert_false(aws_query_body(&out, "no json", &err));
	strbuf_release(&out);
}

static void
an_answer(void **state)
{
	static const char text[] =
	    "<R><MetricDataResults><member><Id>q0</Id><Timestamps>"
	    "<member>2026-11-21T18:00:00Z</member><member>2026-11-21T18:01:00Z</member></Timestamps>"
	    "<Values><member>1.5</member><member>2</member></Values></member></MetricDataResults>"
	    "<Messages/><NextToken>a&quot;b</NextToken></R>";
	struct arena arena = { 0 };
	struct error err = { 0 };
	struct json *o = aws_query_answer(xml_parse(&arena, text, strlen(text), &err), &err);
	const struct json *r = json_at(json_get(o, "MetricDataResults"), 0);
	struct wall t;
	double v;

	(void)state;
	assert_non_null(o);
	assert_string_equal(json_text(json_get(r, "Id")), "q0");
	assert_true(aws_time(json_at(json_get(r, "Timestamps"), 1), &t));
	assert_true(t.us == INT64_C(1795284060) * 1000000);
	assert_true(aws_number(json_at(json_get(r, "Values"), 0), &v));
	assert_true(v == 1.5);
	assert_null(json_child(json_get(o, "Messages")));
	assert_string_equal(json_text(json_get(o, "NextToken")), "a\"b");
	json_free(o);
	o = aws_query_answer(NULL, &err);
	assert_non_null(o);
	json_free(o);
	arena_release(&arena);
}

static void
numbers_and_times(void **state)
{
	struct error err = { 0 };
	static const char text[] =
	    "[1.5,\"2\",\"x\",1795284000.25,-300,1e300,\"nan\",\"1960-01-01T00:00:00Z\"]";
	struct json *o = json_parse(text, strlen(text), &err);
	struct wall t;
	double v;

	(void)state;
	assert_true(aws_number(json_at(o, 0), &v) && v == 1.5);
	assert_true(aws_number(json_at(o, 1), &v) && v == 2);
	assert_false(aws_number(json_at(o, 2), &v));
	assert_false(aws_number(NULL, &v));
	assert_true(aws_time(json_at(o, 3), &t));
	assert_true(t.us == INT64_C(1795284000250000));
	/* No time of anything in a cloud. */
	for (int i = 4; i < 8; i++)
		assert_false(aws_time(json_at(o, i), &t));
	json_free(o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call),
		cmocka_unit_test(an_answer),
		cmocka_unit_test(numbers_and_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
