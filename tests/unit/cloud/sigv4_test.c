/* Tests of cloud/sigv4.c, with the requests that AWS publishes as its test suite. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/compat.h"
#include "cloud/sigv4.h"
#include "cloud/wipe.h"

static struct sigv4_scope
example(const char *service)
{
	struct sigv4_scope scope = { "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "",
		"us-east-1", service, { 0 } };

	assert_true(wall_parse("2015-08-30T12:36:00Z", &scope.now));
	return scope;
}

static void
aws_vectors(void **state)
{
	static const char host[] = "example.amazonaws.com";
	static const struct {
		const char *method, *path, *query, *header, *value, *body, *signature;
	} v[] = {
		{ "GET", "/", "", NULL, NULL, "",
		    "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
		{ "GET", "/", "Param2=value2&Param1=value1", NULL, NULL, "",
		    "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500" },
		{ "GET", "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", "",
		    NULL, NULL, "",
		    "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f" },
		{ "GET", "/\xe1\x88\xb4", "", NULL, NULL, "",
		    "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85" },
		{ "GET", "/", "\xe1\x88\xb4=bar", NULL, NULL, "",
		    "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04" },
		{ "GET", "/example1/example2/../..", "", NULL, NULL, "",
		    "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
		{ "GET", "//", "", NULL, NULL, "",
		    "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
		{ "POST", "/", "", NULL, NULL, "",
		    "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b" },
		{ "POST", "/", "", "Content-Type", "application/x-www-form-urlencoded",
		    "Param1=value1",
		    "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct sigv4_scope scope = example("service");
		struct sigv4_header headers[] = { { "Host", host }, { v[i].header, v[i].value } };
		struct sigv4_request r = { v[i].method, v[i].path, v[i].query, headers,
			v[i].header ? 2 : 1, v[i].body, strlen(v[i].body) };
		struct sigv4 sig;

		sigv4_init(&sig);
		sigv4_sign(&sig, &r, &scope);
		assert_string_equal(sig.signature, v[i].signature);
		sigv4_release(&sig);
	}
}

/* The worked example of AWS's guide, with all that is in between. */
static void
the_guide_step_by_step(void **state)
{
	struct sigv4_scope scope = example("iam");
	struct sigv4_header headers[] = { { "Host", "iam.amazonaws.com" },
		{ "Content-Type", "application/x-www-form-urlencoded; charset=utf-8" } };
	struct sigv4_request r = { "GET", "/", "Action=ListUsers&Version=2010-05-08", headers, 2,
		NULL, 0 };
	struct sigv4 sig;

	(void)state;
	sigv4_init(&sig);
	sigv4_sign(&sig, &r, &scope);
	assert_string_equal(sig.canonical.buf,
	    "GET\n/\nAction=ListUsers&Version=2010-05-08\n"
	    "content-type:application/x-www-form-urlencoded; charset=utf-8\n"
	    "host:iam.amazonaws.com\nx-amz-date:20150830T123600Z\n\n"
	    "content-type;host;x-amz-date\n"
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_string_equal(sig.to_sign.buf,
	    "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/iam/aws4_request\n"
	    "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59");
	assert_string_equal(
	    sig.signature, "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
	assert_string_equal(sig.authorization.buf,
	    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
	    "SignedHeaders=content-type;host;x-amz-date, "
	    "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
	sigv4_release(&sig);
}

/* Line ends of the canonical headers, from the line of "host" on. */
static void
headers_are(const struct sigv4_header *headers, int n, const char *token, const char *canonical)
{
	struct sigv4_scope scope = example("service");
	struct sigv4_request r = { "GET", "/", "", headers, n, NULL, 0 };
	struct sigv4 sig;

	scope.token = token;
	sigv4_init(&sig);
	sigv4_sign(&sig, &r, &scope);
	assert_non_null(strstr(sig.canonical.buf, canonical));
	sigv4_release(&sig);
}

static void
headers_in_all_shapes(void **state)
{
	static const struct sigv4_header many[] = { { "Host", "h" }, { "My-Header1", " b  c " },
		{ "my-header1", "a" }, { "My-Header", "x\r\n  y\n\tz" }, { "User-Agent", "me" },
		{ "Connection", "close" } };

	(void)state;
	headers_are(many, ARRAY_LEN(many), "",
	    "\n\nhost:h\nmy-header:x y z\nmy-header1:b c,a\nx-amz-date:20150830T123600Z\n\n"
	    "host;my-header;my-header1;x-amz-date\n");
	headers_are(many, 1, "TOKEN/+=",
	    "\n\nhost:h\nx-amz-date:20150830T123600Z\nx-amz-security-token:TOKEN/+=\n\n"
	    "host;x-amz-date;x-amz-security-token\n");
}

static void
query_is(const char *query, const char *canonical)
{
	struct sigv4_scope scope = example("service");
	struct sigv4_header host = { "Host", "h" };
	struct sigv4_request r = { "GET", "", query, &host, 1, NULL, 0 };
	struct sigv4 sig;
	const char *line;

	sigv4_init(&sig);
	sigv4_sign(&sig, &r, &scope);
	line = sig.canonical.buf + strlen("GET\n/\n");
	assert_int_equal(strcspn(line, "\n"), strlen(canonical));
	assert_memory_equal(line, canonical, strlen(canonical));
	sigv4_release(&sig);
}

static void
queries_in_all_shapes(void **state)
{
	(void)state;
	query_is(NULL, "");
	query_is("b=2&a&a=&c", "a=&a=&b=2&c=");
	query_is("a=b=c&a=%7e&B=%c3%a4&&", "B=%C3%A4&a=b%3Dc&a=~");
	query_is("a=1+2&x=%&y=%4", "a=1%2B2&x=%25&y=%254");
	query_is("a-b=1&a=2&a.b=3", "a=2&a-b=1&a.b=3");
}

static void
a_token_for_a_login(void **state)
{
	struct sigv4_scope scope = example("ignored");
	struct strbuf out = STRBUF_INIT(1 << 20);
	static const char start[] =
	    "db.abc.us-east-1.rds.amazonaws.com:5432/?Action=connect&DBUser=a%20b"
	    "&X-Amz-Algorithm=AWS4-HMAC-SHA256"
	    "&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Frds-db%2Faws4_request"
	    "&X-Amz-Date=20150830T123600Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host"
	    "&X-Amz-Security-Token=t%2F%2B&X-Amz-Signature=";

	(void)state;
	scope.token = "t/+";
	sigv4_rds_token(&out, "db.abc.us-east-1.rds.amazonaws.com", 5432, "a b", &scope);
	assert_int_equal(out.len, strlen(start) + 64);
	assert_memory_equal(out.buf, start, strlen(start));
	wipe_strbuf(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(aws_vectors),
		cmocka_unit_test(the_guide_step_by_step),
		cmocka_unit_test(headers_in_all_shapes),
		cmocka_unit_test(queries_in_all_shapes),
		cmocka_unit_test(a_token_for_a_login),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
