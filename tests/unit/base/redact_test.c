/* Tests of base/redact.c. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/compat.h"
#include "base/log.h"

static void
check(const char *in, const char *out)
{
	struct strbuf sb = STRBUF_INIT(4096);

	redact(&sb, in);
	if (strcmp(sb.buf, out) != 0)
		fail_msg("%s\n  became %s\n  not    %s", in, sb.buf, out);
	strbuf_release(&sb);
}

static void
connection_strings(void **state)
{
	(void)state;
	check("host=a password=secret dbname=b", "host=a password=*** dbname=b");
	check("password = 'it\\'s' user=x", "password = '***' user=x");
	check("PASSWORD=a\\ b user=x", "PASSWORD=*** user=x");
	check("sslpassword=x passfile=y", "sslpassword=*** passfile=y");
	check("pgbackrest --repo1-cipher-pass=x --pass-through",
	    "pgbackrest --repo1-cipher-pass=*** --pass-through");
	check("PGPASSWORD=hunter2 psql", "PGPASSWORD=*** psql");
	check("postgresql://u:secret@h:5432/db", "postgresql://u:***@h:5432/db");
	check("postgresql://u:p@ss@h/db", "postgresql://u:***@h/db");
	check("postgresql://u:pa/ss@h/db", "postgresql://u:***@h/db");
	check("postgresql://u@h:5432/db?x=a@b", "postgresql://u@h:5432/db?x=a@b");
	check("postgresql://h:5432/db?x=a@b", "postgresql://h:5432/db?x=a@b");
	check("postgres://h/db?user=u&password=secret&sslmode=require",
	    "postgres://h/db?user=u&password=***&sslmode=require");
	check("\"postgresql://u:secret@h/db\" failed", "\"postgresql://u:***@h/db\" failed");
	check("postgresql://:secret@/db", "postgresql://:***@/db");
	check("two postgresql://a:x@h and postgresql://b:y@h",
	    "two postgresql://a:***@h and postgresql://b:***@h");
}

static void
statements(void **state)
{
	(void)state;
	check("ALTER ROLE a PASSWORD 'x''y' VALID", "ALTER ROLE a PASSWORD '***' VALID");
	check("create user a with encrypted password E'a\\'b';",
	    "create user a with encrypted password E'***';");
	check("alter role a password $$x$$ login", "alter role a password *** login");
	check("alter role a password $t$x$y$t$ login", "alter role a password *** login");
	check("alter role a password U&'\\0061'", "alter role a password U&'***'");
	check("alter role a password null", "alter role a password null");
	check("alter role a password 'never closed", "alter role a password '***'");
	check("password authentication failed for user \"x\"",
	    "password authentication failed for user \"x\"");
}

static void
other_secrets(void **state)
{
	(void)state;
	check("{\"token\": \"abc\", \"n\": 1}", "{\"token\": \"***\", \"n\": 1}");
	check("key AKIAIOSFODNN7EXAMPLE used", "key *** used");
	check("aws_secret_access_key = wJalrXUt/EXAMPLE=", "aws_secret_access_key = ***");
	check("?X-Amz-Signature=0123abc&X-Amz-Date=5", "?X-Amz-Signature=***&X-Amz-Date=5");
	check("Authorization: Bearer abc.def\nnext", "Authorization: ***\nnext");
	check("jwt eyJhbGciOi.eyJzdWIi.sig_-x end", "jwt *** end");
	check("pwd: x", "pwd: ***");
}

static void
plain_text_stays(void **state)
{
	static const char *const texts[] = { "", "a=b c:d", "select 1 -- no secrets",
		"http://host/path", "10.0.0.1:5432", "://", "a://b:", "AKIA", "eyJ.x",
		"\xc3\xa4\xff" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		check(texts[i], texts[i]);
	check("password=", "password=");
	check("password='", "password='***'");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connection_strings),
		cmocka_unit_test(statements),
		cmocka_unit_test(other_secrets),
		cmocka_unit_test(plain_text_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
