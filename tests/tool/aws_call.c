/*
 * One call of AWS from the command line, for tests: aws_call SERVICE OP [NAME=VALUE...]. Prints
 * what came as lines "name value". -p PROFILE, -e URL, -r REGION, -h HOST, -c (it changes
 * something).
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cloud/aws.h"

static bool
code_of_device(void *arg, const char *serial, char *code, size_t size)
{
	(void)arg;
	printf("asked %s\n", serial);
	snprintf(code, size, "123456");
	return true;
}

static void
show(const struct xml *node, int depth)
{
	for (; node; node = node->next) {
		printf("%*s%s %s\n", depth, "", node->name, node->text);
		show(node->child, depth + 1);
	}
}

static enum aws_service
service_of(const char *name)
{
	for (int i = 0; i < AWS_SERVICES; i++)
		if (strcmp(aws_services[i].name, name) == 0)
			return (enum aws_service)i;
	exit(2);
}

int
main(int argc, char **argv)
{
	struct aws_config config = { .ask_code = code_of_device };
	struct aws_param params[32] = { { NULL, NULL } };
	struct aws_call call = { .params = params };
	struct aws_answer answer;
	struct error err = { 0 };
	struct aws *aws;
	int c, n = 0;
	bool ok;

	while ((c = getopt(argc, argv, "p:e:r:h:ct:j:")) != -1) {
		switch (c) {
		case 'p':
			config.profile = optarg;
			break;
		case 'e':
			config.endpoint_url = optarg;
			break;
		case 'r':
			config.region = optarg;
			break;
		case 'h':
			config.host = optarg;
			break;
		case 'c':
			call.changes = true;
			break;
		case 't':
			call.timeout_ms = (int)strtol(optarg, NULL, 10);
			break;
		case 'j':
			call.json = optarg;
			break;
		default:
			return 2;
		}
	}
	if (argc - optind < 2)
		return 2;
	call.service = service_of(argv[optind]);
	call.op = argv[optind + 1];
	for (int i = optind + 2; i < argc && n < 31; i++) {
		char *eq = strchr(argv[i], '=');

		if (!eq)
			return 2;
		*eq = '\0';
		params[n++] = (struct aws_param){ argv[i], eq + 1 };
	}
	aws = aws_open(&config, &err);
	if (!aws) {
		error_report(&err);
		return 1;
	}
	aws_answer_init(&answer);
	ok = aws_do(aws, &call, &answer, &err);
	printf("region %s\nsource %s\nattempts %d\nrequest %s\ncode %s\n", aws_region(aws),
	    aws_source(aws), answer.attempts, answer.request_id, answer.code);
	printf(
	    "uncertain %d\nclock %lld\n", answer.is_uncertain, (long long)aws_clock_behind_s(aws));
	printf("%s%s", aws_warnings(aws), aws_looked(aws));
	if (!ok)
		printf("%s: %s\nHINT: %s\n", error_name(err.code), err.what, err.hint);
	show(answer.xml ? answer.xml->child : NULL, 0);
	aws_answer_release(&answer);
	aws_close(aws);
	return !ok;
}
