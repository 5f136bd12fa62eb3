/*
 * A small fuzzer of one's own, so that neither clang nor a library is needed: runs
 * LLVMFuzzerTestOneInput over each file of a corpus and over mutations of them, for some seconds or
 * rounds. With a sanitizer it finds what libFuzzer's first minutes find. The seed is printed;
 * PGMEDIC_FUZZ_SEED repeats a run, PGMEDIC_FUZZ_SECONDS (3) lengthens it. The input that was being
 * tried is left in fuzz-crash when the program dies.
 */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_FILES = 512, INPUT_MAX = 1 << 16 };

struct input {
	uint8_t *data;
	size_t size;
};

static struct input corpus[MAX_FILES];
static int ncorpus;
static uint8_t current[INPUT_MAX];
static size_t current_size;
static uint64_t rng;

/* xorshift64*: any generator will do, but the same everywhere. */
static uint32_t
roll(uint32_t below)
{
	rng ^= rng >> 12;
	rng ^= rng << 25;
	rng ^= rng >> 27;
	return (uint32_t)((rng * 0x2545F4914F6CDD1DULL) >> 33) % (below ? below : 1);
}

static void
crashed(int sig)
{
	int fd = open("fuzz-crash", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd >= 0) {
		ssize_t n = write(fd, current, current_size);
		(void)n;
		close(fd);
	}
	signal(sig, SIG_DFL);
	raise(sig);
}

static void
load(const char *path)
{
	FILE *in = fopen(path, "r");
	if (!in || ncorpus == MAX_FILES)
		goto out;
	struct input *input = &corpus[ncorpus];
	input->data = malloc(INPUT_MAX);
	if (!input->data)
		goto out;
	input->size = fread(input->data, 1, INPUT_MAX, in);
	ncorpus++;
out:
	if (in)
		fclose(in);
}

static void
load_folder(const char *path)
{
	DIR *dir = opendir(path);
	if (!dir)
		return;
	for (struct dirent *entry; (entry = readdir(dir));) {
		char file[4096];
		if (entry->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		load(file);
	}
	closedir(dir);
}

static void
mutate_once(void)
{
	static const char odd[] = { 0, 1, '\n', '\r', '\t', 0x1b, '"', '\'', '\\', '#', '=', ';',
		' ', '-', (char)0x7f, (char)0x80, (char)0xc0, (char)0xff, '9', '{', '}', '[', ']',
		'$', ',' };
	uint32_t at = roll((uint32_t)current_size + 1);
	uint32_t len = roll(16) + 1;
	switch (roll(6)) {
	case 0: /* a bit */
		if (at < current_size)
			current[at] ^= (uint8_t)(1U << roll(8));
		break;
	case 1: /* an odd byte */
		if (at < current_size)
			current[at] = (uint8_t)odd[roll(sizeof(odd))];
		break;
	case 2: /* cut out */
		if (at + len <= current_size) {
			memmove(current + at, current + at + len, current_size - at - len);
			current_size -= len;
		}
		break;
	case 3: /* repeat a piece */
		if (at + len <= current_size && current_size + len <= INPUT_MAX) {
			memmove(current + at + len, current + at, current_size - at);
			current_size += len;
		}
		break;
	case 4: /* put in an odd byte */
		if (current_size < INPUT_MAX) {
			memmove(current + at + 1, current + at, current_size - at);
			current[at] = (uint8_t)odd[roll(sizeof(odd))];
			current_size++;
		}
		break;
	default: { /* end with a piece of another input */
		const struct input *other = &corpus[roll((uint32_t)ncorpus)];
		uint32_t from = roll((uint32_t)other->size + 1);
		size_t n = other->size - from;
		if (n > INPUT_MAX - at)
			n = INPUT_MAX - at;
		if (n)
			memcpy(current + at, other->data + from, n);
		current_size = at + n;
		break;
	}
	}
}

static void
try_input(void)
{
	/* An exact copy on the heap, so that a sanitizer sees one byte too far. */
	uint8_t *copy = malloc(current_size ? current_size : 1);
	if (!copy)
		exit(1);
	memcpy(copy, current, current_size);
	LLVMFuzzerTestOneInput(copy, current_size);
	free(copy);
}

int
main(int argc, char **argv)
{
	const char *seed = getenv("PGMEDIC_FUZZ_SEED"), *seconds = getenv("PGMEDIC_FUZZ_SECONDS");
	time_t end = time(NULL) + (seconds ? strtol(seconds, NULL, 10) : 3);
	long rounds = 0;
	rng = seed ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL) * 2654435761ULL;
	if (!rng)
		rng = 1;
	fprintf(stderr, "seed %llu\n", (unsigned long long)rng);
	for (int i = 1; i < argc; i++)
		load_folder(argv[i]);
	if (ncorpus == 0) {
		corpus[ncorpus].data = calloc(1, 1);
		corpus[ncorpus++].size = 0;
	}
	signal(SIGSEGV, crashed);
	signal(SIGABRT, crashed);
	for (int i = 0; i < ncorpus; i++) {
		current_size = corpus[i].size;
		memcpy(current, corpus[i].data, current_size);
		try_input();
	}
	for (; time(NULL) < end; rounds++) {
		const struct input *from = &corpus[roll((uint32_t)ncorpus)];
		current_size = from->size;
		memcpy(current, from->data, current_size);
		for (uint32_t n = roll(8) + 1; n > 0; n--)
			mutate_once();
		try_input();
	}
	printf("%d inputs of the corpus, %ld mutations\n1 passed, 0 failed, 0 skipped\n", ncorpus,
	    rounds);
	for (int i = 0; i < ncorpus; i++)
		free(corpus[i].data);
	return 0;
}
