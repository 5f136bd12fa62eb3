/* Names of probes, metrics and wait classes. */
#include "config.h"

#include "model/probes.h"

#include "base/role.h"
#include "model/series.h"

const struct probe_info probe_infos[PROBE_COUNT] = {
#define X(sym, probe_name, probe_text) [PROBE_##sym] = { .name = probe_name, .text = probe_text },
	PROBE_LIST(X)
#undef X
};

const struct metric_info metric_infos[METRIC_COUNT] = {
#define X(sym, metric_name, metric_text) \
	[METRIC_##sym] = { .name = metric_name, .text = metric_text },
	METRIC_LIST(X)
#undef X
};

const struct wait_class_info wait_class_infos[WAIT_CLASS_COUNT] = {
	[WAIT_CPU] = { "CPU", 'c', ROLE_WAIT_CPU },
	[WAIT_IO] = { "IO", 'i', ROLE_WAIT_IO },
	[WAIT_LOCK] = { "Lock", 'L', ROLE_WAIT_LOCK },
	[WAIT_LWLOCK] = { "LWLock", 'w', ROLE_WAIT_LWLOCK },
	[WAIT_BUFFERPIN] = { "BufferPin", 'b', ROLE_WAIT_BUFFERPIN },
	[WAIT_CLIENT] = { "Client", 'n', ROLE_WAIT_CLIENT },
	[WAIT_IPC] = { "IPC", 'p', ROLE_WAIT_IPC },
	[WAIT_TIMEOUT] = { "Timeout", 't', ROLE_WAIT_TIMEOUT },
	[WAIT_ACTIVITY] = { "Activity", 'a', ROLE_WAIT_ACTIVITY },
	[WAIT_EXTENSION] = { "Extension", 'x', ROLE_WAIT_EXTENSION },
};
