/* libpq's and the server's words in one line with a hint. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pg/fault.h"

static void
check(const char *message, enum err_code code, const char *what, const char *sqlstate)
{
	struct error err = { .code = ERR_OK };
	assert_false(fault_message(&err, message, ERR_CONNECT));
	assert_int_equal(err.code, code);
	assert_string_equal(err.what, what);
	assert_string_equal(err.sqlstate, sqlstate);
	assert_null(strchr(err.what, '\n'));
}

static void
test_messages(void **state)
{
	(void)state;
	check("connection to server at \"127.0.0.1\", port 5432 failed: Connection refused\n"
	      "\tIs the server running on that host and accepting TCP/IP connections?\n",
	    ERR_CONNECT, "Connection refused (at \"127.0.0.1\", port 5432)", "");
	check(
	    "connection to server at \"h\" (10.0.0.1), port 5432 failed: FATAL:  28P01: password authentication failed "
	    "for user \"x\"\nLOCATION:  auth_failed, auth.c:333\n",
	    ERR_AUTH, "password authentication failed for user \"x\"", "28P01");
	/* In another language the SQLSTATE decides. */
	check(
	    "Verbindung zum Server fehlgeschlagen: FATAL:  3D000: Datenbank »x« existiert nicht\n",
	    ERR_AUTH, "Datenbank »x« existiert nicht", "3D000");
	check("FATAL:  57P03: the database system is starting up\n", ERR_CONNECT,
	    "the database system is starting up", "57P03");
	check("FATAL:  53300: sorry, too many clients already\n", ERR_CONNECT,
	    "sorry, too many clients already", "53300");
	check(
	    "server closed the connection unexpectedly\n\tThis probably means the server terminated abnormally\n"
	    "\tbefore or while processing the request.\ninvalid socket\n",
	    ERR_CONNECT, "server closed the connection unexpectedly", "");
	check(
	    "root certificate file \"/r\" does not exist\n"
	    "Either provide the file or change sslmode to disable server certificate verification.\n",
	    ERR_CONNECT, "root certificate file \"/r\" does not exist", "");
	check("", ERR_CONNECT, "the connection was closed", "");
	check(NULL, ERR_CONNECT, "the connection was closed", "");
	/* Of several addresses the last one's reason. */
	check("connection to server at \"h\" (::1), port 1 failed: Network is unreachable\n"
	      "connection to server at \"h\" (127.0.0.1), port 1 failed: Connection refused\n",
	    ERR_CONNECT, "Connection refused (at \"h\" (127.0.0.1), port 1)", "");
}

static void
test_hints(void **state)
{
	(void)state;
	static const char *const messages[] = {
		"connection to server at \"127.0.0.1\", port 1 failed: Connection refused",
		"could not translate host name \"x\" to address: Name or service not known",
		"timeout expired",
		"connection to server at \"h\", port 1 failed: SSL error: certificate verify failed",
		"fe_sendauth: no password supplied",
		"definition of service \"x\" not found",
		"FATAL:  53300: sorry, too many clients already",
		"FATAL:  28000: no pg_hba.conf entry for host \"1.2.3.4\"",
	};
	for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
		struct error err = { .code = ERR_OK };
		fault_message(&err, messages[i], ERR_CONNECT);
		assert_true(strlen(err.hint) > 10);
	}
}

static void
test_long_and_odd(void **state)
{
	(void)state;
	char text[4096];
	struct error err = { .code = ERR_OK };
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	fault_message(&err, text, ERR_LOST);
	assert_true(strlen(err.what) < sizeof(err.what));
	fault_message(&err, "FATAL:  bad \x1b]52;c;x\a", ERR_LOST);
	assert_null(strchr(err.what, '\x1b'));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_hints),
		cmocka_unit_test(test_long_and_odd),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
