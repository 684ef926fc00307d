/* A model of a disk under the outbox, preloaded into the agent: syncs of its files fail on demand, reads too, and what the
 * disk has is kept in a shadow of each file, as a power cut would leave it. FAILING_DISK names the folder of the shadows.
 * `sync` in it holds: errno, `drop` (what could not be synced is lost, and looks clean) or `keep` (it reached the disk all
 * the same), and how many syncs fail (0: all, until the file is removed). `read` in it holds the errno of every read. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES = 2, RANGES = 1 << 16 };
static const char *const NAMES[FILES] = { "/outbox.db", "/outbox.db-wal" };
static struct { long from, length; } dirty[FILES][RANGES];
static int dirty_count[FILES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(result, name, ...) ((result (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name))

static int file_of(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0 || !getenv("FAILING_DISK")) return -1;
    path[length] = 0;
    for (int file = 0; file < FILES; file++) {
        size_t name = strlen(NAMES[file]);
        if ((size_t)length > name && !strcmp(path + length - name, NAMES[file])) return file;
    }
    return -1;
}

static void control(const char *name, char *path, size_t size) {
    snprintf(path, size, "%s/%s", getenv("FAILING_DISK"), name);
}

static void wrote(int fd, long from, long length) {
    int file = file_of(fd), error = errno;
    if (file < 0 || length <= 0) return;
    pthread_mutex_lock(&lock);
    if (dirty_count[file] == RANGES) abort();
    dirty[file][dirty_count[file]].from = from;
    dirty[file][dirty_count[file]++].length = length;
    pthread_mutex_unlock(&lock);
    errno = error;
}

/* The disk takes what is dirty. */
static void take(int fd, int file) {
    char path[4096], link[64];
    control(NAMES[file] + 1, path, sizeof path);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    int from = open(link, O_RDONLY), to = open(path, O_RDWR | O_CREAT, 0600);
    if (from < 0 || to < 0) abort();
    for (int range = 0; range < dirty_count[file]; range++) {
        long length = dirty[file][range].length, place = dirty[file][range].from;
        char *bytes = malloc(length);
        long got = REAL(ssize_t, "pread64", int, void *, size_t, long)(from, bytes, length, place);
        if (got > 0 && REAL(ssize_t, "pwrite64", int, const void *, size_t, long)(to, bytes, got, place) != got) abort();
        free(bytes);
    }
    struct stat now;
    if (fstat(from, &now) || REAL(int, "ftruncate64", int, long)(to, now.st_size)) abort();
    /* The log is the only file that SQLite's locks do not depend on, and closing the other would release them. */
    if (file == 1) close(from);
    close(to);
}

static int synced(int fd, int file) {
    char path[4096], how[8] = "";
    int error = 0, times = 0, result = 0;
    control("sync", path, sizeof path);
    pthread_mutex_lock(&lock);
    FILE *wish = fopen(path, "r");
    if (wish && fscanf(wish, "%d %7s %d", &error, how, &times) == 3) {
        if (!strcmp(how, "keep")) take(fd, file);
        result = -1;
        if (times == 1) unlink(path);
        if (times > 1) {
            fclose(wish);
            wish = fopen(path, "w");
            fprintf(wish, "%d %s %d", error, how, times - 1);
        }
    } else {
        take(fd, file);
    }
    if (wish) fclose(wish);
    dirty_count[file] = 0;
    pthread_mutex_unlock(&lock);
    if (result) errno = error;
    return result;
}

static int reads_fail(int fd) {
    char path[4096];
    int error = 0;
    if (file_of(fd) < 0) return 0;
    control("read", path, sizeof path);
    FILE *wish = fopen(path, "r");
    if (!wish) return 0;
    int found = fscanf(wish, "%d", &error) == 1;
    fclose(wish);
    if (found) errno = error;
    return found;
}

int fsync(int fd) {
    int file = file_of(fd);
    return file < 0 ? REAL(int, "fsync", int)(fd) : synced(fd, file);
}

int fdatasync(int fd) {
    int file = file_of(fd);
    return file < 0 ? REAL(int, "fdatasync", int)(fd) : synced(fd, file);
}

ssize_t write(int fd, const void *bytes, size_t length) {
    long from = lseek(fd, 0, SEEK_CUR);
    ssize_t written = REAL(ssize_t, "write", int, const void *, size_t)(fd, bytes, length);
    wrote(fd, from, written);
    return written;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, long from) {
    ssize_t written = REAL(ssize_t, "pwrite64", int, const void *, size_t, long)(fd, bytes, length, from);
    wrote(fd, from, written);
    return written;
}

ssize_t read(int fd, void *bytes, size_t length) {
    return reads_fail(fd) ? -1 : REAL(ssize_t, "read", int, void *, size_t)(fd, bytes, length);
}

ssize_t pread64(int fd, void *bytes, size_t length, long from) {
    return reads_fail(fd) ? -1 : REAL(ssize_t, "pread64", int, void *, size_t, long)(fd, bytes, length, from);
}
