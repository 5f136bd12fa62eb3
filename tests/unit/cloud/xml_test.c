/* Tests of cloud/xml.c. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "cloud/xml.h"

static struct arena arena;

static const struct xml *
parse(const char *s)
{
	struct error err = { 0 };
	const struct xml *root = xml_parse(&arena, s, strlen(s), &err);

	if (!root)
		print_message("%s\n", err.what);
	assert_non_null(root);
	return root;
}

static void
refused(const char *s, size_t len, const char *why)
{
	struct error err = { 0 };

	assert_null(xml_parse(&arena, s, len, &err));
	assert_int_equal(err.code, ERR_FORMAT);
	assert_non_null(strstr(err.what, why));
}

static void
an_answer_of_rds(void **state)
{
	const struct xml *r =
	    parse("<?xml version=\"1.0\"?>\n<r:DescribeDBInstancesResponse "
	          "xmlns:r=\"http://rds.amazonaws.com/doc/2013-05-15/\">"
	          "<r:DescribeDBInstancesResult><DBInstances><DBInstance>"
	          "<DBInstanceIdentifier>a</DBInstanceIdentifier><AllocatedStorage>20"
	          "</AllocatedStorage><MultiAZ>true</MultiAZ><Unknown><X/></Unknown></DBInstance>"
	          "<DBInstance/></DBInstances></r:DescribeDBInstancesResult>"
	          "<ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata>"
	          "</r:DescribeDBInstancesResponse>");
	const struct xml *list = xml_get(r, "DescribeDBInstancesResult/DBInstances");

	(void)state;
	assert_string_equal(r->name, "DescribeDBInstancesResponse");
	assert_int_equal(xml_count(list, ""), 2);
	assert_string_equal(xml_text(list, "DBInstance/DBInstanceIdentifier"), "a");
	assert_int_equal(xml_int(list, "DBInstance/AllocatedStorage", -1), 20);
	assert_int_equal(xml_int(list, "DBInstance/Iops", -1), -1);
	assert_true(xml_true(list, "DBInstance/MultiAZ"));
	assert_string_equal(xml_text(r, "ResponseMetadata/RequestId"), "id-1");
	assert_string_equal(xml_text(NULL, "a"), "");
	assert_null(xml_get(r, "DescribeDB"));
}

static void
what_xml_does_not_allow(void **state)
{
	(void)state;
	assert_string_equal(parse("<a>x\x01y&#x1;z&#11;&#65;\xff\xef\xbf\xbe</a>")->text,
	    "x\xef\xbf\xbdy\xef\xbf\xbdz\xef\xbf\xbd"
	    "A\xef\xbf\xbd\xef\xbf\xbd");
	assert_string_equal(parse("<a>AT&T &amp;&lt;&#x9; &#;&</a>")->text, "AT&T &<\t &#;&");
	assert_string_equal(parse("<a>&#xFFFFFFFFFFFFFFFFF;</a>")->text, "\xef\xbf\xbd");
	assert_string_equal(parse("<a><![CDATA[&#1; & <b>]]></a>")->text, "&#1; & <b>");
	assert_string_equal(parse("<a>\n line\n</a>")->text, "\n line\n");
	assert_string_equal(
	    parse("<?xml version='1.0' encoding='ISO-8859-1'?><a>\xc3\xa4</a>")->text, "\xc3\xa4");
}

static void
what_is_refused(void **state)
{
	static const char bomb[] = "<!DOCTYPE a [<!ENTITY b \"bbb\">]><a>&b;</a>";
	struct strbuf deep = STRBUF_INIT(1 << 20);

	(void)state;
	refused(bomb, sizeof(bomb) - 1, "document type");
	refused("", 0, "no XML");
	refused("<a><b></a>", 10, "no XML");
	refused("<a>&b;</a>", 10, "no XML");
	refused("<html>503", 9, "no XML");
	refused("<a>\0</a>x", 9, "no XML");
	for (int i = 0; i < XML_MAX_DEPTH + 1; i++)
		strbuf_adds(&deep, "<a>");
	refused(deep.buf, deep.len, "nested");
	strbuf_release(&deep);
}

static int
release(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_of_rds),
		cmocka_unit_test(what_xml_does_not_allow),
		cmocka_unit_test(what_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, release);
}
