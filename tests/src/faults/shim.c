/* Stands between a program and its C library, for tests: the clock is set otherwise, and writes are cut short.
 *
 * SHIM_CLOCK=SECONDS         is added to the time of day.
 * SHIM_SHORT=N               of the calls that write below SHIM_FOLDER, the Nth writes half of what it was given (0: each).
 * SHIM_THEN_FULL=1           after it, each such call fails with ENOSPC, as on a disk that is full in the middle of a write.
 * SHIM_COUNT=FILE            gets the number of such calls.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static long calls;

static long number(const char *name) {
    const char *text = getenv(name);
    return text && *text ? atol(text) : -1;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int done = real(clock, now);
    const char *moved = getenv("SHIM_CLOCK");
    if (!done && moved && clock == CLOCK_REALTIME) now->tv_sec += atol(moved);
    return done;
}

static int is_below(int file) {
    const char *folder = getenv("SHIM_FOLDER");
    char link[64], path[PATH_MAX];
    if (!folder) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return !strncmp(path, folder, strlen(folder));
}

/* Tells how many of the bytes are to be written; -1 for a full disk. */
static ssize_t share(int file, size_t bytes) {
    if (bytes < 2 || !is_below(file)) return bytes;
    pthread_mutex_lock(&turn);
    long nth = ++calls;
    pthread_mutex_unlock(&turn);
    const char *count = getenv("SHIM_COUNT");
    if (count) {
        FILE *to = fopen(count, "w");
        if (to) {
            fprintf(to, "%ld\n", nth);
            fclose(to);
        }
    }
    long cut = number("SHIM_SHORT");
    if (cut == 0 || cut == nth) return bytes / 2;
    if (cut > 0 && nth > cut && number("SHIM_THEN_FULL") == 1) return -1;
    return bytes;
}

ssize_t pwrite64(int file, const void *from, size_t bytes, off_t at) {
    static ssize_t (*real)(int, const void *, size_t, off_t);
    if (!real) real = (ssize_t (*)(int, const void *, size_t, off_t))dlsym(RTLD_NEXT, "pwrite64");
    ssize_t part = share(file, bytes);
    if (part < 0) {
        errno = ENOSPC;
        return -1;
    }
    return real(file, from, part, at);
}

ssize_t pwrite(int file, const void *from, size_t bytes, off_t at) {
    return pwrite64(file, from, bytes, at);
}

ssize_t write(int file, const void *from, size_t bytes) {
    static ssize_t (*real)(int, const void *, size_t);
    if (!real) real = (ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
    ssize_t part = share(file, bytes);
    if (part < 0) {
        errno = ENOSPC;
        return -1;
    }
    return real(file, from, part);
}
