/* Simulates a failing disk; preloaded before the C library. Of the calls that write regular files, the
 * FAIL_AT-th fails with the error FAIL_WITH, and if FAIL_ON is set all later ones fail too. On the first
 * failure the file named by FAILED is created. All reads of files below the folder FAIL_READS_BELOW fail. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static int fails(int file) {
    static atomic_long calls;
    struct stat status;
    if (!getenv("FAIL_AT") || file <= 2 || fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
        return 0;
    }
    long call = atomic_fetch_add(&calls, 1) + 1;
    long at = atol(getenv("FAIL_AT"));
    if (call != at && !(call > at && getenv("FAIL_ON"))) {
        return 0;
    }
    close(creat(getenv("FAILED"), 0600));
    errno = atoi(getenv("FAIL_WITH"));
    return 1;
}

#define FAILING(result, name, parameters, file, arguments)                    \
    result name parameters {                                                  \
        static result (*real) parameters;                                     \
        if (fails(file)) {                                                    \
            return -1;                                                        \
        }                                                                     \
        if (!real) {                                                          \
            real = (result (*) parameters)dlsym(RTLD_NEXT, #name);            \
        }                                                                     \
        return real arguments;                                                \
    }

ssize_t read(int file, void *bytes, size_t count) {
    static ssize_t (*real)(int, void *, size_t);
    const char *folder = getenv("FAIL_READS_BELOW");
    char link[64], path[4096];
    if (folder) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", file);
        ssize_t length = readlink(link, path, sizeof path);
        size_t least = strlen(folder);
        if (length > (ssize_t)least && memcmp(path, folder, least) == 0) {
            errno = EIO;
            return -1;
        }
    }
    if (!real) {
        real = (ssize_t (*)(int, void *, size_t))dlsym(RTLD_NEXT, "read");
    }
    return real(file, bytes, count);
}

FAILING(ssize_t, write, (int file, const void *bytes, size_t count), file, (file, bytes, count))
FAILING(ssize_t, pwrite, (int file, const void *bytes, size_t count, off_t at), file, (file, bytes, count, at))
FAILING(ssize_t, pwrite64, (int file, const void *bytes, size_t count, off64_t at), file, (file, bytes, count, at))
FAILING(int, ftruncate, (int file, off_t length), file, (file, length))
FAILING(int, ftruncate64, (int file, off64_t length), file, (file, length))
FAILING(int, fsync, (int file), file, (file))
FAILING(int, fdatasync, (int file), file, (file))
