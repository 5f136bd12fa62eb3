/* Reads synchronous_standby_names as the server's own parser does (syncrep_gram.y). */
#include "config.h"

#include "panes/sync_names.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static int
skip_blanks(const char *s, int len, int i)
{
	while (i < len && isspace((unsigned char)s[i]))
		i++;
	return i;
}

int
sync_needed(const char *value, int len)
{
	int i = skip_blanks(value, len, 0), n = 0;

	if (i == len)
		return 0;
	if (len - i > 5 && strncasecmp(value + i, "FIRST", 5) == 0 &&
	    isspace((unsigned char)value[i + 5]))
		i = skip_blanks(value, len, i + 5);
	else if (len - i > 3 && strncasecmp(value + i, "ANY", 3) == 0 &&
	    isspace((unsigned char)value[i + 3]))
		i = skip_blanks(value, len, i + 3);
	while (i < len && isdigit((unsigned char)value[i]) && n < 100000)
		n = n * 10 + (value[i++] - '0');
	i = skip_blanks(value, len, i);
	return n > 0 && i < len && value[i] == '(' ? n : 1;
}

static struct sync_verdict
verdict(bool is_zero, const char *because)
{
	struct sync_verdict v = { .is_zero = is_zero };
	snprintf(v.because, sizeof(v.because), "%s", because);
	return v;
}

struct sync_verdict
sync_judge(const struct cell *names, const struct cell *commit, const struct cell *fsync, int safe)
{
	struct sync_verdict v;
	int needed;

	if (!names || !commit || names->type != CELL_TEXT)
		return verdict(false, "the settings are not known yet");
	needed = sync_needed(names->s, (int)names->len);
	if (needed == 0)
		return verdict(
		    false, "synchronous_standby_names is empty: all standbys are asynchronous");
	if (fsync && cell_is(fsync, "off"))
		return verdict(false, "fsync is off");
	if (cell_is(commit, "off") || cell_is(commit, "local"))
		return verdict(false, "synchronous_commit does not wait for a standby");
	if (cell_is(commit, "remote_write"))
		return verdict(false,
		    "synchronous_commit = remote_write: a crash of the standby's system loses commits");
	v = verdict(true, "");
	if (safe < needed)
		snprintf(v.because, sizeof(v.because),
		    "commits wait: %d of %d synchronous standbys stream (a session may lower synchronous_commit)",
		    safe, needed);
	else
		snprintf(v.because, sizeof(v.because),
		    "%d of %d synchronous standbys flush before a commit returns (a session may lower "
		    "synchronous_commit)",
		    safe, needed);
	return v;
}
