// What a thread is at, kept where a signal handler finds it, and the handler that passes it on before the process ends.
#ifndef REPRISE_CTRAP_H
#define REPRISE_CTRAP_H
#include <stdint.h>

enum { reprise_at_nothing = 0, reprise_at_event = 1, reprise_at_wake_up = 2, reprise_at_commit = 3 };

// Plain words, written by their own thread only and read by a handler on that same thread.
typedef struct {
    uint64_t what;    // reprise_at_…
    uint64_t first;   // an event's input sequence; a wake-up's due time in milliseconds
    uint64_t second;  // an event's index in its message; a wake-up's slot
    uint64_t shard;
    uint64_t commit;  // the recorded commit that is run again; 0 = something new is decided
} reprise_place_t;

extern _Thread_local volatile reprise_place_t reprise_place;

// This thread begins to apply things of a shard.
void reprise_place_enter(uint16_t shard);

// This thread begins to run a recorded commit of a shard again: what happens from here on is a fault, at an event or between.
void reprise_place_replay(uint16_t shard, uint64_t commit);

// It has ended: nothing that happens from here on is an event's fault.
static inline void reprise_place_leave(void) { reprise_place.what = reprise_at_nothing; }

static inline void reprise_place_event(uint64_t sequence, uint32_t index) {
    reprise_place.first = sequence;
    reprise_place.second = index;
    reprise_place.what = reprise_at_event;
}

static inline void reprise_place_wake_up(int64_t due, uint32_t slot) {
    reprise_place.first = (uint64_t)due;
    reprise_place.second = slot;
    reprise_place.what = reprise_at_wake_up;
}

// What a thread was at when it was ended by a signal.
typedef struct {
    reprise_place_t place;
    uint64_t signal;
} reprise_last_word_t;

// From now on, a thread that is ended by a fault while it applies something writes a reprise_last_word_t to `report`, waits
// until a byte can be read from `done` or `milliseconds` have passed, and then ends the process as it would have ended. Only
// the first thread does; any other ends the process at once. Returns 0, or an error number.
int reprise_last_word_install(int report, int done, int milliseconds);

// The fault that tests put in: REPRISE_FAULT_TRAP_ON, or null. The text lives as long as the process. Debug builds only.
const char *reprise_fault_name(void);
#endif
