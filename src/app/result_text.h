/* The result of an operation, for people. */
#ifndef PGMEDIC_APP_RESULT_TEXT_H
#define PGMEDIC_APP_RESULT_TEXT_H

#include <stdbool.h>

#include "base/strbuf.h"

/* A JSON object as lines "name  value", the names padded to `width`; lists of objects a line each
 * below their name. texts_only: nothing but the members that are texts. "" adds nothing. */
void result_text(struct strbuf *out, const char *result, int width, bool texts_only);

#endif
