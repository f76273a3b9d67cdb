/* A stand-in for libnvidia-ml.so.1: the calls that evabench makes, answered from a text file.
 *
 * EVABENCH_STAND_IN names the file, which is read anew at every call. A line is "key value"; "error:N" as a value makes
 * the call return N; a key that is missing makes it return NVML_ERROR_NOT_SUPPORTED. Keys: "init", "count",
 * "gpu.0.uuid", "gpu.0.slice.1.used" and so on. A list of processes is "pid:bytes,pid:none".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SUCCESS = 0, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6, INSUFFICIENT_SIZE = 7, NOT_LOADED = 9 };
#define MAX_LINE 512

typedef unsigned long Handle; /* 1 + GPU, and 256 * (1 + slice) */
typedef struct { unsigned long long total, free, used; } Memory;
typedef struct { unsigned version; unsigned long long total, reserved, free, used; } MemoryV2;
typedef struct { unsigned gpu, memory; } Utilisation;
typedef struct { unsigned pid; unsigned long long used; unsigned gpu_instance, compute_instance; } Process;

static int look_up(const char *key, char *value) {
    const char *path = getenv("EVABENCH_STAND_IN");
    FILE *file = path ? fopen(path, "r") : NULL;
    char line[MAX_LINE];
    size_t length = strlen(key);
    int result = NOT_SUPPORTED;
    if (!file) return NOT_LOADED;
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        if (strncmp(line, key, length) == 0 && line[length] == ' ') {
            strcpy(value, line + length + 1);
            result = strncmp(value, "error:", 6) ? SUCCESS : atoi(value + 6);
            break;
        }
    }
    fclose(file);
    return result;
}

static int ask(Handle device, const char *name, char *value) {
    char key[128];
    int gpu = (int)(device % 256) - 1, slice = (int)(device / 256) - 1;
    if (gpu < 0) return INVALID_ARGUMENT;
    if (slice < 0) snprintf(key, sizeof key, "gpu.%d.%s", gpu, name);
    else snprintf(key, sizeof key, "gpu.%d.slice.%d.%s", gpu, slice, name);
    return look_up(key, value);
}

static int ask_number(Handle device, const char *name, unsigned long long *number) {
    char value[MAX_LINE];
    int result = ask(device, name, value);
    if (result == SUCCESS) *number = strtoull(value, NULL, 0);
    return result;
}

static int ask_unsigned(Handle device, const char *name, unsigned *number) {
    unsigned long long wide;
    int result = ask_number(device, name, &wide);
    if (result == SUCCESS) *number = (unsigned)wide;
    return result;
}

static int ask_text(Handle device, const char *name, char *text, unsigned size) {
    char value[MAX_LINE];
    int result = ask(device, name, value);
    if (result == SUCCESS) snprintf(text, size, "%s", value);
    return result;
}

static int ask_processes(Handle device, const char *name, unsigned *count, Process *list) {
    char value[MAX_LINE], *entry, *rest = value;
    unsigned found = 0, room = *count;
    int result = ask(device, name, value);
    if (result != SUCCESS) return result;
    while ((entry = strtok_r(rest, ",", &rest))) {
        char *bytes = strchr(entry, ':') + 1;
        if (list && found < room) {
            list[found].pid = strncmp(entry, "self", 4) ? (unsigned)atoi(entry) : (unsigned)getpid();
            list[found].used = strcmp(bytes, "none") ? strtoull(bytes, NULL, 0) : ~0ULL;
        }
        found++;
    }
    *count = found;
    return found > room ? INSUFFICIENT_SIZE : SUCCESS;
}

int nvmlInitWithFlags(unsigned flags) {
    char value[MAX_LINE];
    int result = look_up("init", value);
    (void)flags;
    return result == NOT_SUPPORTED ? SUCCESS : result;
}

int nvmlShutdown(void) { return SUCCESS; }

const char *nvmlErrorString(int result) {
    static char text[64];
    snprintf(text, sizeof text, "stand-in error %d", result);
    return text;
}

int nvmlDeviceGetCount_v2(unsigned *count) {
    char value[MAX_LINE];
    int result = look_up("count", value);
    if (result == SUCCESS) *count = (unsigned)atoi(value);
    return result;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, Handle *device) {
    *device = 1 + index;
    return SUCCESS;
}

int nvmlDeviceGetMigDeviceHandleByIndex(Handle gpu, unsigned index, Handle *device) {
    char uuid[MAX_LINE];
    *device = gpu + 256 * (1 + index);
    return ask(*device, "uuid", uuid) == SUCCESS ? SUCCESS : NOT_FOUND;
}

int nvmlDeviceGetMigMode(Handle gpu, unsigned *current, unsigned *pending) {
    int result = ask_unsigned(gpu, "mig", current);
    *pending = *current;
    return result;
}

int nvmlDeviceGetMaxMigDeviceCount(Handle gpu, unsigned *count) { return ask_unsigned(gpu, "slices", count); }
int nvmlDeviceGetUUID(Handle device, char *uuid, unsigned size) { return ask_text(device, "uuid", uuid, size); }
int nvmlDeviceGetName(Handle device, char *name, unsigned size) { return ask_text(device, "name", name, size); }

/* The first version counts what the driver reserves as used: evabench must not ask it. */
int nvmlDeviceGetMemoryInfo(Handle device, Memory *memory) {
    unsigned long long used = 0, reserved = 0;
    int result = ask_number(device, "used", &used);
    if (result == SUCCESS) result = ask_number(device, "reserved", &reserved);
    memory->used = used + reserved;
    return result;
}

int nvmlDeviceGetMemoryInfo_v2(Handle device, MemoryV2 *memory) {
    int result = ask_number(device, "used", &memory->used);
    if (memory->version != 0x02000028) return INVALID_ARGUMENT;
    if (result == SUCCESS) result = ask_number(device, "total", &memory->total);
    return result;
}

int nvmlDeviceGetUtilizationRates(Handle device, Utilisation *rates) {
    return ask_unsigned(device, "utilisation", &rates->gpu);
}

int nvmlDeviceGetClockInfo(Handle device, unsigned domain, unsigned *megahertz) {
    return ask_unsigned(device, domain == 1 ? "sm_clock" : "memory_clock", megahertz);
}

int nvmlDeviceGetMaxClockInfo(Handle device, unsigned domain, unsigned *megahertz) {
    return domain == 1 ? ask_unsigned(device, "max_sm_clock", megahertz) : INVALID_ARGUMENT;
}

int nvmlDeviceGetCurrentClocksEventReasons(Handle device, unsigned long long *bits) {
    return ask_number(device, "clock_limits", bits);
}

int nvmlDeviceGetPowerUsage(Handle device, unsigned *milliwatts) { return ask_unsigned(device, "power", milliwatts); }

#ifndef WITHOUT_ENERGY_COUNTER /* a library from before the counter */
int nvmlDeviceGetTotalEnergyConsumption(Handle device, unsigned long long *millijoules) {
    return ask_number(device, "energy", millijoules);
}
#endif

int nvmlDeviceGetComputeRunningProcesses_v3(Handle device, unsigned *count, Process *list) {
    return ask_processes(device, "compute", count, list);
}

int nvmlDeviceGetGraphicsRunningProcesses_v3(Handle device, unsigned *count, Process *list) {
    return ask_processes(device, "graphics", count, list);
}

int nvmlDeviceGetMPSComputeRunningProcesses_v3(Handle device, unsigned *count, Process *list) {
    return ask_processes(device, "mps", count, list);
}
