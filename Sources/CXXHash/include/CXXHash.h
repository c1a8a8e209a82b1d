// xxHash, compiled inline, so that a hash in the hot loop costs no call through a shared library.
// The values of XXH3 are fixed since 0.8.0 and the same on every machine.
#ifndef REPRISE_CXXHASH_H
#define REPRISE_CXXHASH_H
#define XXH_INLINE_ALL
#include <xxhash.h>
#include <stdint.h>

typedef struct { uint64_t low, high; } reprise_hash128_t;

static inline uint64_t reprise_hash64(const void *bytes, size_t count) { return XXH3_64bits(bytes, count); }

static inline reprise_hash128_t reprise_hash128(const void *bytes, size_t count) {
    XXH128_hash_t hash = XXH3_128bits(bytes, count);
    reprise_hash128_t result = { hash.low64, hash.high64 };
    return result;
}
#endif
