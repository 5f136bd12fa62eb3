/* The folders of dumps: made, described, listed, removed. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/digest.h"
#include "base/fmt.h"
#include "base/json.h"
#include "ops/dump_priv.h"
#include "ops/local_copy.h"
#include "ops/local_tools.h"
#include "ops/op_result.h"

enum { REMOVE_MS = 3600 * 1000, MAX_MANIFEST = 16 << 20, MAX_DUMPS = 500 };

/* The file that makes a folder ours to remove. */
static const char marker[] = ".pgmedic-dump", manifest[] = "manifest.json";

const char *
dump_root(struct op *op, struct error *err)
{
	const char *root = op->target->dump_root;

	if (!root || !*root)
		return geteuid() == 0 ? "/var/tmp/pgmedic-dumps" : path_state(&op->arena, "dumps");
	if (root[0] == '/')
		return root;
	error_set(err, ERR_CONFIG, "dump_root of %s is not an absolute path", op->target->name);
	return NULL;
}

/* Only root/NAME with our mark in it, or empty: we died before the mark. */
static bool
remove_dump(struct op *op, const char *dir, struct error *err)
{
	const char *mark = arena_printf(&op->arena, "%s/%s", dir, marker);
	const char *slash = strrchr(dir, '/');
	const char *argv[] = { "/bin/rm", "-rf", "--one-file-system", "--",
		arena_printf(&op->arena, "%s/%s", dir, manifest),
		arena_printf(&op->arena, "%s/globals.sql", dir),
		arena_printf(&op->arena, "%s/dump", dir), NULL };
	struct stat st;

	if (lstat(dir, &st) != 0 && errno == ENOENT)
		return true;
	if (!S_ISDIR(st.st_mode) || !slash || !copy_is_name(slash + 1))
		return error_set(err, ERR_REFUSED, "%s is not a folder of ours", dir);
	if (access(mark, F_OK) != 0) {
		/* Perhaps while writing it: where that is all, the folder is empty then. */
		unlink(arena_printf(&op->arena, "%s.new", mark));
		if (rmdir(dir) == 0)
			return true;
		error_set(err, ERR_REFUSED, "%s does not carry our mark", dir);
		return error_hint(err, "Look at it, and remove it by hand.");
	}
	/* The mark goes last. */
	if (!local_run(op, argv, NULL, REMOVE_MS, NULL, NULL, err))
		return false;
	if (unlink(mark) == 0 && rmdir(dir) == 0)
		return true;
	return error_set(err, ERR_FILE, "cannot remove %s: %s", dir, strerror(errno));
}

static bool
leave(struct op *op, const char *what, const char *dir, bool *is_again, struct error *err)
{
	struct job_leftover *known;
	struct strbuf args = STRBUF_INIT(PATH_MAX * 2);
	bool first = true, ok;
	int64_t id;
	int n;

	*is_again = false;
	if (!jobs_leftovers(op->journal, op->job, &op->arena, &known, &n, err))
		return false;
	for (int i = 0; i < n; i++)
		*is_again = *is_again || strcmp(known[i].kind, "dump") == 0;
	if (*is_again)
		return true;
	strbuf_addc(&args, '{');
	json_key(&args, &first, "dir");
	json_str(&args, dir, strlen(dir));
	strbuf_addc(&args, '}');
	ok = op_leave(op, "dump", args.buf, &id, err, "%s %s", what, dir);
	strbuf_release(&args);
	return ok;
}

bool
dump_begin(struct op *op, struct error *err)
{
	const char *root = op_fact(op, "root");
	const char *dir = arena_printf(&op->arena, "%s/%s", root, op_fact(op, "name"));
	bool is_again;

	return copy_make_root(root, err) && leave(op, "the dump in", dir, &is_again, err) &&
	    (!is_again || remove_dump(op, dir, err)) && local_make_folder(op, dir, err) &&
	    local_write(op, arena_printf(&op->arena, "%s/%s", dir, marker),
	        arena_printf(&op->arena, "job %lld\n", (long long)op->job), err);
}

bool
dump_undo(struct op *op, const struct job_leftover *left, struct error *err)
{
	struct json *args = json_parse(left->args, strlen(left->args), err);
	const char *dir = json_text(json_get(args, "dir"));
	bool ok = dir && remove_dump(op, dir, err);

	if (args && !dir)
		error_set(err, ERR_JOURNAL, "leftover %lld does not say where it is",
		    (long long)left->id);
	json_free(args);
	return ok;
}

/* ------------------------------------------------------------------ the manifest */

static bool
digest_file(const char *path, int64_t *bytes, char hex[static DIGEST_HEX], struct error *err)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	void *map = MAP_FAILED;
	struct stat st = { 0 };
	bool ok = fd >= 0 && fstat(fd, &st) == 0;

	if (ok && st.st_size)
		map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	ok = ok && (map != MAP_FAILED || !st.st_size);
	if (ok)
		digest_sha256_hex(st.st_size ? map : "", (size_t)st.st_size, hex);
	else
		error_set(err, ERR_FILE, "cannot read %s: %s", path, strerror(errno));
	*bytes = st.st_size;
	if (map != MAP_FAILED)
		munmap(map, (size_t)st.st_size);
	if (fd >= 0)
		close(fd);
	return ok;
}

static void
text_member(struct strbuf *out, bool *first, const char *key, const char *value)
{
	json_key(out, first, key);
	json_str(out, value ? value : "", value ? strlen(value) : 0);
}

static bool
add_file(struct op *op, struct strbuf *out, const char *dir, const char *file, int64_t *total,
    struct error *err)
{
	char hex[DIGEST_HEX];
	int64_t bytes;
	bool first = true;

	if (!digest_file(arena_printf(&op->arena, "%s/%s", dir, file), &bytes, hex, err))
		return false;
	strbuf_adds(out, out->buf[out->len - 1] == '[' ? "\n  {" : ",\n  {");
	text_member(out, &first, "file", file);
	json_key(out, &first, "bytes");
	json_int(out, bytes);
	text_member(out, &first, "sha256", hex);
	strbuf_addc(out, '}');
	*total += bytes;
	return true;
}

static bool
add_files(struct op *op, struct strbuf *out, const char *dir, int64_t *total, struct error *err)
{
	DIR *d = opendir(arena_printf(&op->arena, "%s/dump", dir));
	struct dirent *e;
	bool ok = d != NULL;

	if (!ok)
		error_set(err, ERR_FILE, "cannot read %s/dump: %s", dir, strerror(errno));
	ok = ok && add_file(op, out, dir, "globals.sql", total, err);
	while (ok && (e = readdir(d)))
		if (e->d_name[0] != '.')
			ok = add_file(op, out, dir, arena_printf(&op->arena, "dump/%s", e->d_name),
			    total, err);
	if (d)
		closedir(d);
	return ok;
}

static void
time_member(struct op *op, struct strbuf *out, bool *first, const char *key, const char *fact)
{
	char at[40];

	text_member(out, first, key,
	    wall_rfc3339((struct wall){ op_fact_int(op, fact, 0) }, at, sizeof(at)));
}

bool
dump_write_manifest(struct op *op, struct error *err)
{
	const char *dir =
	    arena_printf(&op->arena, "%s/%s", op_fact(op, "root"), op_fact(op, "name"));
	struct strbuf out = STRBUF_INIT(MAX_MANIFEST);
	bool first = true, ok;
	int64_t total = 0;

	strbuf_addc(&out, '{');
	text_member(&out, &first, "name", op_fact(op, "name"));
	text_member(&out, &first, "target", op->target->name);
	text_member(&out, &first, "database", op_fact(op, "database"));
	text_member(&out, &first, "server_version", op_fact(op, "server_version"));
	text_member(&out, &first, "system_identifier", op_fact(op, "system"));
	time_member(op, &out, &first, "started_at", "started_at");
	time_member(op, &out, &first, "finished_at", "finished_at");
	text_member(&out, &first, "format", "pg_dump directory");
	json_key(&out, &first, "entries");
	json_int(&out, op_fact_int(op, "entries", 0));
	json_key(&out, &first, "files");
	strbuf_addc(&out, '[');
	ok = add_files(op, &out, dir, &total, err);
	strbuf_adds(&out, "],\n");
	strbuf_addf(&out, "\"bytes\":%lld}\n", (long long)total);
	ok = ok && (!out.cut || error_set(err, ERR_MEMORY, "the manifest is too long")) &&
	    local_write(op, arena_printf(&op->arena, "%s/%s", dir, manifest), out.buf, err) &&
	    op_fact_set(op, err, "size_bytes", "%lld", (long long)total);
	strbuf_release(&out);
	return ok;
}

/* ------------------------------------------------------------------ the list */

static const char *
text_of(struct op *op, const struct json *root, const char *key)
{
	const char *s = json_text(json_get(root, key));

	return s ? arena_strdup(&op->arena, s) : "";
}

static bool
read_one(struct op *op, const char *root, const char *name, struct dump_info *out)
{
	struct error ignored = { 0 };
	const char *path = arena_printf(&op->arena, "%s/%s/%s", root, name, manifest);
	const char *text = access(path, R_OK) == 0 ? local_read(op, path, &ignored) : NULL;
	struct json *json = text ? json_parse(text, strlen(text), &ignored) : NULL;
	double bytes = 0, entries = 0;
	bool ok = json && strcmp(text_of(op, json, "target"), op->target->name) == 0;

	if (ok) {
		*out = (struct dump_info){ .name = arena_strdup(&op->arena, name),
			.database = text_of(op, json, "database") };
		if (!wall_parse(text_of(op, json, "started_at"), &out->started))
			out->started.us = 0;
		if (!wall_parse(text_of(op, json, "finished_at"), &out->finished))
			out->finished.us = 0;
		if (json_number(json_get(json, "bytes"), &bytes))
			out->bytes = (int64_t)bytes;
		if (json_number(json_get(json, "entries"), &entries))
			out->entries = (int64_t)entries;
	}
	json_free(json);
	return ok;
}

static int
by_time(const void *a, const void *b)
{
	const struct dump_info *x = a, *y = b;

	return x->finished.us < y->finished.us ? -1 : x->finished.us > y->finished.us;
}

struct dump_info *
dump_list(struct op *op, int *n)
{
	struct dump_info *items = arena_zalloc(&op->arena, MAX_DUMPS, sizeof(*items));
	struct error ignored = { 0 };
	const char *root = dump_root(op, &ignored);
	DIR *d = root ? opendir(root) : NULL;
	struct dirent *e;

	*n = 0;
	while (d && *n < MAX_DUMPS && (e = readdir(d)))
		if (copy_is_name(e->d_name) && read_one(op, root, e->d_name, &items[*n]))
			++*n;
	if (d)
		closedir(d);
	qsort(items, (size_t)*n, sizeof(*items), by_time);
	return items;
}

void
dump_list_doc(struct op *op)
{
	char age[32], size[32];
	int n;
	const struct dump_info *items = dump_list(op, &n);

	for (int i = 0; i < n; i++)
		doc_pair(&op->doc, items[i].name, ROLE_NORMAL, "dump of %s, %s old, %s",
		    items[i].database,
		    fmt_span(
		        age, sizeof(age), (double)(wall_now().us - items[i].finished.us) / 1e6),
		    fmt_bytes(size, sizeof(size), (double)items[i].bytes));
}

void
dump_list_result(struct op *op, bool is_first)
{
	int n;
	const struct dump_info *items = dump_list(op, &n);

	for (int i = 0; i < n; i++) {
		bool first = true;

		strbuf_adds(&op->result, is_first ? "{" : ",{");
		is_first = false;
		op_result_text(op, &first, "snapshot", items[i].name);
		op_result_text(op, &first, "kind", "dump");
		op_result_text(op, &first, "state", "available");
		op_result_text(op, &first, "database", items[i].database);
		op_result_int(op, &first, "size_bytes", items[i].bytes);
		op_result_time(op, &first, "started_at", items[i].started);
		op_result_time(op, &first, "finished_at", items[i].finished);
		strbuf_addc(&op->result, '}');
	}
}

static bool
list_plan(struct op *op, struct error *err)
{
	if (op->words->n > 1)
		return error_set(err, ERR_USAGE, "'%s' is too much", op->words->w[1].text);
	dump_list_doc(op);
	if (!op->doc.n)
		doc_add(&op->doc, ROLE_NORMAL, "%s has no dumps", op->target->name);
	op_add_step(op, "list", "none", "list the dumps", "%s", "only looks");
	return true;
}

static bool
list_run(struct op *op, struct error *err)
{
	return op_fact_set(op, err, "listed", "1");
}

static bool
list_result(struct op *op, struct error *err)
{
	bool first = true;

	(void)err;
	json_key(&op->result, &first, "snapshots");
	strbuf_addc(&op->result, '[');
	dump_list_result(op, true);
	strbuf_addc(&op->result, ']');
	return true;
}

static const struct op_step_def list_steps[] = {
	{ "list", NULL, list_run },
	{ NULL, NULL, NULL },
};

const struct op_impl dump_snapshots = { list_plan, list_steps, list_result };

/* ------------------------------------------------------------------ dropping one */

bool
dump_drop_plan(struct op *op, const char *name, struct error *err)
{
	const char *root = dump_root(op, err);
	struct dump_info d;
	char age[32], size[32];

	if (!root)
		return false;
	if (!copy_is_name(name) || !read_one(op, root, name, &d)) {
		error_set(err, ERR_NOT_FOUND, "there is no snapshot '%s'", name);
		return error_hint(err, "`snapshots` lists them.");
	}
	doc_pair(&op->doc, "goes", ROLE_WARN, "%s  dump of %s, %s old, %s", d.name, d.database,
	    fmt_span(age, sizeof(age), (double)(wall_now().us - d.finished.us) / 1e6),
	    fmt_bytes(size, sizeof(size), (double)d.bytes));
	op_identity(op, "goes", "%s %lld", d.name, (long long)d.finished.us);
	op_add_step(op, "remove", "high", "remove its folder", "%s/%s; it cannot be taken back",
	    root, d.name);
	op->question = arena_printf(&op->arena, "drop %s?", d.name);
	return op_fact_set(op, err, "dump.dir", "%s/%s", root, d.name) &&
	    op_fact_set(op, err, "goes", "%s", d.name) &&
	    op_fact_set(op, err, "label", "%s", d.name) &&
	    op_fact_set(op, err, "bytes", "%lld", (long long)d.bytes);
}

bool
dump_drop_run(struct op *op, struct error *err)
{
	const char *dir = op_fact(op, "dump.dir");
	bool is_again;

	/* One that is half removed is of no use, and listed nowhere. */
	return leave(op, "the rest of the dump in", dir, &is_again, err) &&
	    remove_dump(op, dir, err) && op_settle_kind(op, "dump", err);
}

bool
dump_drop_result(struct op *op, struct error *err)
{
	const char *name = op_fact(op, "label");
	bool first = true;

	(void)err;
	op_result_text(op, &first, "snapshot", name);
	json_key(&op->result, &first, "dropped");
	strbuf_addc(&op->result, '[');
	json_str(&op->result, name, strlen(name));
	strbuf_addc(&op->result, ']');
	op_result_int(op, &first, "freed_bytes", op_fact_int(op, "bytes", 0));
	return true;
}

static bool
drop_plan(struct op *op, struct error *err)
{
	if (op->words->n == 3)
		return dump_drop_plan(op, op->words->w[2].text, err);
	error_set(err, ERR_USAGE, "snapshot drop needs the name of a snapshot");
	return error_hint(err, "`snapshots` lists them.");
}

static const struct op_step_def drop_steps[] = {
	{ "remove", NULL, dump_drop_run },
	{ NULL, NULL, NULL },
};

const struct op_impl dump_drop = { drop_plan, drop_steps, dump_drop_result };
