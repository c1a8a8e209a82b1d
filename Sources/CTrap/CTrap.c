#define _GNU_SOURCE
#include "CTrap.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

_Thread_local volatile reprise_place_t reprise_place;

static const int signals[] = {SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGABRT};
enum { signal_count = sizeof signals / sizeof signals[0], stack_bytes = 64 << 10 };

static struct sigaction before[signal_count];
static int report_to = -1, done_from = -1, wait_milliseconds = 0;
static atomic_int reporting;
static _Thread_local int has_stack;

// A stack overflow leaves no room for a handler: it gets a stack of its own, as long as the thread lives.
static void own_stack(void) {
    has_stack = 1;
    stack_t stack = {.ss_sp = malloc(stack_bytes), .ss_size = stack_bytes, .ss_flags = 0};
    if (stack.ss_sp && sigaltstack(&stack, NULL) != 0) free(stack.ss_sp);
}

void reprise_place_enter(uint16_t shard) {
    if (report_to >= 0 && !has_stack) own_stack();
    reprise_place.what = reprise_at_nothing;
    reprise_place.shard = shard;
    reprise_place.commit = 0;
}

void reprise_place_replay(uint16_t shard, uint64_t commit) {
    reprise_place_enter(shard);
    reprise_place.commit = commit;
    reprise_place.what = reprise_at_commit;
}

static int64_t now_milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void report(int number) {
    reprise_last_word_t word;
    memset(&word, 0, sizeof word);
    word.place.what = reprise_place.what;
    word.place.first = reprise_place.first;
    word.place.second = reprise_place.second;
    word.place.shard = reprise_place.shard;
    word.place.commit = reprise_place.commit;
    word.signal = (uint64_t)number;
    if (write(report_to, &word, sizeof word) != sizeof word) return;
    int64_t end = now_milliseconds() + wait_milliseconds;
    for (int64_t left = wait_milliseconds; left > 0; left = end - now_milliseconds()) {
        struct pollfd done = {.fd = done_from, .events = POLLIN};
        int ready = poll(&done, 1, (int)left);
        if (ready > 0 || (ready < 0 && errno != EINTR)) return;
    }
}

// Calls only what may be called in a handler.
static void handle(int number, siginfo_t *info, void *context) {
    (void)context;
    int error = errno;
    if (reprise_place.what != reprise_at_nothing && atomic_exchange(&reporting, 1) == 0) report(number);
    for (int index = 0; index < signal_count; index++) sigaction(signals[index], &before[index], NULL);
    errno = error;
    // A fault comes again when its instruction does; what was sent has to be sent again.
    if (info->si_code <= 0) raise(number);
}

int reprise_last_word_install(int report, int done, int milliseconds) {
    if (report_to >= 0) return EALREADY;
    done_from = done;
    wait_milliseconds = milliseconds;
    report_to = report;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = handle;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    for (int index = 0; index < signal_count; index++) {
        if (sigaction(signals[index], &action, &before[index]) != 0) return errno;
    }
    return 0;
}

#ifdef DEBUG
const char *reprise_fault_name(void) {
    const char *name = getenv("REPRISE_FAULT_TRAP_ON");
    return name && *name ? name : NULL;
}
#endif
