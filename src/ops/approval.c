#include "config.h"

#include "ops/approval.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/utf8.h"

enum { MAX_FILE_BYTES = 1 << 20, LEAST_DIGITS = 8, HASH_DIGITS = 64 };

static const char request_end[] = ".request", approved[] = ".approved-";

/* ------------------------------------------------------------------ the folder and its files */

/* Open it, and see that others can write into it, but not take away what is not theirs. -1: *err.
 */
static int
open_folder(const char *folder, struct error *err)
{
	struct stat st;
	int fd;

	if (!*folder || *folder != '/') {
		error_set(err, ERR_CONFIG, "there is no folder for approvals");
		error_hint(
		    err, "Set approvals = /FOLDER in [console], for both users: chmod 1777.");
		return -1;
	}
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0) {
		error_set(err, ERR_FILE, "cannot open %s: %s", folder, strerror(errno));
	} else if (!(st.st_mode & S_ISVTX) || !(st.st_mode & (S_IWGRP | S_IWOTH))) {
		error_set(err, ERR_CONFIG, "%s is no folder for approvals", folder);
		error_hint(err,
		    "Others have to write into it, and not remove: chmod 1777, or 1770 for a group.");
	} else {
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

static const char *
user_name(struct arena *arena, uid_t uid)
{
	const struct passwd *pw = getpwuid(uid);

	return pw ? arena_strdup(arena, pw->pw_name) : arena_printf(arena, "uid %ld", (long)uid);
}

/* A plain file with one name, not older than an approval may be, in the arena. NULL: no such. */
static const char *
read_file(int folder, const char *name, struct arena *arena, struct stat *st)
{
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	bool ok = fd >= 0 && fstat(fd, st) == 0 && S_ISREG(st->st_mode) && st->st_nlink == 1 &&
	    st->st_size > 0 && st->st_size < MAX_FILE_BYTES;
	char *text = ok ? arena_alloc(arena, (size_t)st->st_size + 1) : NULL;
	/* ctime: an owner can set the others. */
	int64_t age_s = ok ? wall_now().us / 1000000 - st->st_ctim.tv_sec : 0;

	ok = ok && age_s <= APPROVAL_S && read(fd, text, (size_t)st->st_size) == st->st_size;
	if (ok)
		text[st->st_size] = '\0';
	if (fd >= 0)
		close(fd);
	return ok ? text : NULL;
}

/* Others are to read it, whatever our umask is; made anew, never over something of others. */
static bool
write_file(int folder, const char *name, const struct strbuf *text, struct error *err)
{
	int fd;
	bool ok;

	unlinkat(folder, name, 0);
	fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	ok = fd >= 0 && write(fd, text->buf, text->len) == (ssize_t)text->len &&
	    fchmod(fd, 0644) == 0 && fsync(fd) == 0;
	if (!ok)
		error_set(err, ERR_FILE, "cannot write %s: %s", name, strerror(errno));
	if (fd >= 0)
		close(fd);
	return ok;
}

static void
member(struct strbuf *out, bool *first, const char *key, const char *value)
{
	json_key(out, first, key);
	json_str(out, value, strlen(value));
}

static const char *
text_of(struct arena *arena, const struct json *root, const char *key)
{
	const char *s = json_text(json_get(root, key));

	return s ? arena_strdup(arena, s) : "";
}

static bool
ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n > m && strcmp(name + n - m, end) == 0;
}

/* ------------------------------------------------------------------ asking */

static bool
ask(int folder, const char *name, const struct approval_plan *plan, struct error *err)
{
	struct strbuf out = STRBUF_INIT(MAX_FILE_BYTES);
	struct arena arena = { 0 };
	unsigned char random[DIGEST_SIZE];
	char word[DIGEST_HEX];
	bool first = true, ok;

	ok = getrandom(random, sizeof(random), 0) == (ssize_t)sizeof(random) ||
	    error_set(err, ERR_STATE, "the system has no random numbers");
	strbuf_addc(&out, '{');
	member(&out, &first, "hash", plan->hash);
	member(&out, &first, "target", plan->target);
	member(&out, &first, "command", plan->line);
	member(&out, &first, "user", user_name(&arena, geteuid()));
	member(&out, &first, "word", digest_hex(random, word));
	member(&out, &first, "plan", plan->text);
	strbuf_adds(&out, "}\n");
	ok = ok && (!out.cut || error_set(err, ERR_MEMORY, "the plan is too long")) &&
	    write_file(folder, name, &out, err);
	strbuf_release(&out);
	arena_release(&arena);
	return ok;
}

/* Of somebody else, for this request? */
static bool
approves(int folder, const char *name, const char *hash, const char *digest, struct arena *arena,
    const char **by)
{
	struct error ignored = { 0 };
	struct stat st;
	const char *text = read_file(folder, name, arena, &st);
	struct json *root = text ? json_parse(text, strlen(text), &ignored) : NULL;
	bool ok = root && st.st_uid != geteuid() && st.st_uid != 0 &&
	    strcmp(text_of(arena, root, "hash"), hash) == 0 &&
	    strcmp(text_of(arena, root, "request"), digest) == 0;

	if (ok)
		*by = user_name(arena, st.st_uid);
	json_free(root);
	return ok;
}

static bool
look_for(int folder, const char *hash, const char *digest, struct arena *arena, const char **by)
{
	int copy = dup(folder);
	DIR *d = copy >= 0 ? fdopendir(copy) : NULL;
	const char *begin = arena_printf(arena, "%s%s", hash, approved);
	struct dirent *e;
	bool found = false;

	if (d)
		rewinddir(d);
	while (d && !found && (e = readdir(d)))
		found = strncmp(e->d_name, begin, strlen(begin)) == 0 &&
		    approves(folder, e->d_name, hash, digest, arena, by);
	if (d)
		closedir(d);
	else if (copy >= 0)
		close(copy);
	return found;
}

/* Ours, and of this plan: what somebody else has looked at is what is run. */
static bool
is_request_of(
    const char *text, const struct stat *st, const struct approval_plan *plan, struct arena *arena)
{
	struct error ignored = { 0 };
	struct json *root = text ? json_parse(text, strlen(text), &ignored) : NULL;
	bool ok = root && st->st_uid == geteuid() &&
	    strcmp(text_of(arena, root, "hash"), plan->hash) == 0 &&
	    strcmp(text_of(arena, root, "target"), plan->target) == 0 &&
	    strcmp(text_of(arena, root, "command"), plan->line) == 0;

	json_free(root);
	return ok;
}

bool
approval_given(const char *folder, const struct approval_plan *plan, struct arena *arena,
    const char **by, struct error *err)
{
	const char *name = arena_printf(arena, "%s%s", plan->hash, request_end), *text;
	int fd = open_folder(folder, err);
	char digest[DIGEST_HEX];
	struct stat st;
	bool ok;

	if (fd < 0)
		return false;
	text = read_file(fd, name, arena, &st);
	if (text && !is_request_of(text, &st, plan, arena))
		text = NULL;
	if (text &&
	    look_for(fd, plan->hash, digest_sha256_hex(text, strlen(text), digest), arena, by)) {
		close(fd);
		return true;
	}
	/* What is asked for already keeps its word, or an approval under way would be for nothing.
	 */
	ok = text || ask(fd, name, plan, err);
	close(fd);
	if (!ok)
		return false;
	error_set(err, ERR_REFUSED, "another user has to approve it first (approve = two)");
	return error_hint(err,
	    "`pgmedic approve %.12s` by somebody else on this machine; then give the command again within %d minutes.",
	    plan->hash, APPROVAL_S / 60);
}

void
approval_used(const char *folder, const char *hash)
{
	struct error ignored = { 0 };
	struct arena arena = { 0 };
	int fd = open_folder(folder, &ignored);

	if (fd >= 0) {
		unlinkat(fd, arena_printf(&arena, "%s%s", hash, request_end), 0);
		close(fd);
	}
	arena_release(&arena);
}

/* ------------------------------------------------------------------ approving */

struct request {
	const char *hash, *target, *line, *plan, *by;
	char digest[DIGEST_HEX];
	bool is_own;
};

static bool
read_request(int folder, const char *name, struct arena *arena, struct request *r)
{
	struct error ignored = { 0 };
	struct stat st;
	const char *text = read_file(folder, name, arena, &st);
	struct json *root = text ? json_parse(text, strlen(text), &ignored) : NULL;

	if (root) {
		*r = (struct request){
			.hash = text_of(arena, root, "hash"),
			.target = text_of(arena, root, "target"),
			.line = text_of(arena, root, "command"),
			.plan = text_of(arena, root, "plan"),
			.by = user_name(arena, st.st_uid),
			.is_own = st.st_uid == geteuid(),
		};
		digest_sha256_hex(text, strlen(text), r->digest);
	}
	json_free(root);
	/* Its name is what it is found by. */
	return root && strlen(r->hash) == HASH_DIGITS && strncmp(name, r->hash, HASH_DIGITS) == 0;
}

/* Each request that still holds; f returns false to end. */
static bool
each(int folder, struct arena *arena, bool (*f)(const struct request *r, void *arg), void *arg)
{
	int copy = dup(folder);
	DIR *d = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *e;
	struct request r;
	bool more = true;

	if (d)
		rewinddir(d);
	while (d && more && (e = readdir(d)))
		if (ends_with(e->d_name, request_end) && read_request(folder, e->d_name, arena, &r))
			more = f(&r, arg);
	if (d)
		closedir(d);
	else if (copy >= 0)
		close(copy);
	return more;
}

struct search {
	const char *digits;
	struct request found;
	int n;
};

static bool
match(const struct request *r, void *arg)
{
	struct search *s = arg;

	if (strncmp(r->hash, s->digits, strlen(s->digits)) == 0) {
		s->found = *r;
		s->n++;
	}
	return true;
}

static bool
find(int folder, const char *digits, struct arena *arena, struct request *out, struct error *err)
{
	struct search s = { .digits = digits };

	if (strlen(digits) < LEAST_DIGITS || digits[strspn(digits, "0123456789abcdef")]) {
		error_set(err, ERR_USAGE, "'%s' is not the hash of a plan", digits);
		return error_hint(err, "At least %d of its digits.", LEAST_DIGITS);
	}
	each(folder, arena, match, &s);
	if (s.n != 1) {
		error_set(err, ERR_NOT_FOUND, "%s plan %s is to be approved",
		    s.n ? "more than one" : "no", digits);
		return error_hint(
		    err, "A request lasts %d minutes; `approve` lists them.", APPROVAL_S / 60);
	}
	*out = s.found;
	return true;
}

/* Whose time is over; only ours can be removed. */
static void
tidy(int folder, struct arena *arena)
{
	int copy = dup(folder);
	DIR *d = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *e;
	struct stat st;

	if (d)
		rewinddir(d);
	while (d && (e = readdir(d)))
		if (strstr(e->d_name, approved) &&
		    fstatat(folder, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    st.st_uid == geteuid() && !read_file(folder, e->d_name, arena, &st))
			unlinkat(folder, e->d_name, 0);
	if (d)
		closedir(d);
	else if (copy >= 0)
		close(copy);
}

/* What the other user has written is not to move our cursor. */
static void
add_clean(struct strbuf *out, const char *text, bool one_line)
{
	utf8_clean(out, text, strlen(text), one_line);
}

static void
describe(struct strbuf *out, const struct request *r)
{
	const char *const pairs[][2] = { { "asked by", r->by }, { "target", r->target },
		{ "command", r->line }, { "hash", r->hash } };

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		strbuf_addf(out, "%-22s", pairs[i][0]);
		add_clean(out, pairs[i][1], true);
		strbuf_addc(out, '\n');
	}
	add_clean(out, r->plan, false);
}

bool
approval_show(
    const char *folder, const char *hash, struct strbuf *out, char *seen, struct error *err)
{
	struct arena arena = { 0 };
	int fd = open_folder(folder, err);
	struct request r;
	bool ok = fd >= 0 && find(fd, hash, &arena, &r, err);

	if (ok) {
		describe(out, &r);
		snprintf(seen, DIGEST_HEX, "%s", r.digest);
	}
	if (fd >= 0)
		close(fd);
	arena_release(&arena);
	return ok;
}

static bool
give(int fd, const struct request *r, struct arena *arena, struct error *err)
{
	struct strbuf text = STRBUF_INIT(4096);
	bool first = true, ok;

	if (r->is_own) {
		error_set(
		    err, ERR_REFUSED, "it is your own request: another user has to approve it");
		return error_hint(err, "The rule is two persons.");
	}
	if (geteuid() == 0) {
		error_set(err, ERR_REFUSED, "root's approval does not count");
		return error_hint(
		    err, "Approve it as yourself: whoever becomes root would be two persons.");
	}
	strbuf_addc(&text, '{');
	member(&text, &first, "hash", r->hash);
	member(&text, &first, "request", r->digest);
	strbuf_adds(&text, "}\n");
	ok = write_file(
	    fd, arena_printf(arena, "%s%s%ld", r->hash, approved, (long)geteuid()), &text, err);
	strbuf_release(&text);
	return ok;
}

bool
approval_give(
    const char *folder, const char *hash, const char *seen, struct strbuf *out, struct error *err)
{
	struct arena arena = { 0 };
	int fd = open_folder(folder, err);
	struct request r;
	bool ok = fd >= 0 && find(fd, hash, &arena, &r, err);

	if (fd >= 0)
		tidy(fd, &arena);
	if (ok && *seen && strcmp(r.digest, seen) != 0) {
		ok = error_set(err, ERR_CHANGED, "this is not the request that was shown");
		error_hint(err, "It was replaced meanwhile: look at it again.");
	}
	ok = ok && give(fd, &r, &arena, err);
	if (ok) {
		strbuf_addf(out, "approved: %s may run `", r.by);
		add_clean(out, r.line, true);
		strbuf_adds(out, "` on ");
		add_clean(out, r.target, true);
		strbuf_addf(out, " within %d minutes\n", APPROVAL_S / 60);
	}
	if (fd >= 0)
		close(fd);
	arena_release(&arena);
	return ok;
}

static bool
list_one(const struct request *r, void *arg)
{
	struct strbuf *out = arg;

	strbuf_addf(out, "%.12s  %s  ", r->hash, r->by);
	add_clean(out, r->target, true);
	strbuf_adds(out, "  ");
	add_clean(out, r->line, true);
	strbuf_addc(out, '\n');
	return true;
}

bool
approval_list(const char *folder, struct strbuf *out, struct error *err)
{
	struct arena arena = { 0 };
	int fd = open_folder(folder, err);

	if (fd < 0)
		return false;
	each(fd, &arena, list_one, out);
	if (!out->len)
		strbuf_adds(out, "nothing is to be approved\n");
	close(fd);
	arena_release(&arena);
	return true;
}
