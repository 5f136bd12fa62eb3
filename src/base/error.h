/* Errors of the world: a stable code, what failed, and what to try next. */
#ifndef PGMEDIC_BASE_ERROR_H
#define PGMEDIC_BASE_ERROR_H

#include <stdbool.h>

#include "base/compat.h"

/* One line per code: number (never reused), name, one line for the manual. */
#define ERR_LIST(X)                                                                          \
	X(0, OK, "no error")                                                                 \
	X(1, USAGE, "a word of the command line or of a command is wrong")                   \
	X(2, CONFIG, "a configuration, keymap or theme file has a line that cannot be used") \
	X(3, FILE, "a file or folder cannot be read or written")                             \
	X(4, FORMAT, "a file or answer is damaged or not of the expected format")            \
	X(5, MEMORY, "a limit on size was reached")                                          \
	X(10, CONNECT, "the server cannot be reached")                                       \
	X(11, AUTH, "the server refused the login")                                          \
	X(12, LOST, "the connection was lost")                                               \
	X(13, QUERY, "the server answered a query with an error")                            \
	X(14, DENIED, "the role lacks a privilege")                                          \
	X(15, UNSUPPORTED, "the server does not have this")                                  \
	X(16, TIMEOUT, "no answer in time")                                                  \
	X(17, PROTOCOL, "an answer does not have the expected columns or types")             \
	X(20, REFUSED, "refused: read-only, protected, or unsafe")                           \
	X(21, NOT_CONFIRMED, "the confirmation was not given")                               \
	X(22, CHANGED, "the session or server is no longer the one that was planned for")    \
	X(23, NOT_FOUND, "there is no such thing")                                           \
	X(24, STATE, "not possible in the present state")                                    \
	X(30, JOURNAL, "the journal cannot be read or written")                              \
	X(40, LAB, "the lab cannot be made, found or removed")                               \
	X(41, PROGRAM, "an external program is missing or failed")

enum err_code {
#define X(num, name, text) ERR_##name = num,
	ERR_LIST(X)
#undef X
};

struct error {
	enum err_code code;
	char sqlstate[6]; /* "" unless the server answered */
	char what[256];   /* lower case, no full stop, names the object */
	char hint[256];   /* a sentence: what to try next; may be "" */
};

/* Fill *err; always returns false, so that `return error_set(...)` reads well. Control bytes in
 * the text become '?'. */
bool error_set(struct error *err, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Add the hint; always returns false. */
bool error_hint(struct error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Put "context: " before what; always returns false. */
bool error_prefix(struct error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Name of a code ("QUERY"), never NULL. */
const char *error_name(enum err_code code);
/* "pgmedic: what" and, when there is one, "HINT: hint" on standard error. */
void error_report(const struct error *err);

/* Our own mistakes and exhausted memory: runs the hooks (terminal, journal), prints, aborts. */
NORETURN void fatal(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* Registers a hook that fatal() runs, last registered first; at most 4. UI thread, at start. */
void fatal_hook(void (*hook)(void));

#endif
