// JSON, read into a flat list of nodes that a safe language can walk.
//
// simdjson's first stage (UTF-8, strings, where tokens begin) does the heavy work; the grammar is checked here, so that an
// error has its byte position and a number keeps its own digits: money must never pass through a double.
#ifndef REPRISE_CSIMDJSON_H
#define REPRISE_CSIMDJSON_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    REPRISE_JSON_NULL = 0,
    REPRISE_JSON_TRUE,
    REPRISE_JSON_FALSE,
    REPRISE_JSON_NUMBER,
    // Its characters stand in the input as they are.
    REPRISE_JSON_STRING,
    // It had escapes: its characters stand in the side text.
    REPRISE_JSON_STRING_UNESCAPED,
    REPRISE_JSON_OBJECT,
    REPRISE_JSON_ARRAY,
};

enum {
    REPRISE_JSON_OK = 0,
    REPRISE_JSON_EMPTY,
    REPRISE_JSON_UTF8,
    REPRISE_JSON_CONTROL_CHARACTER,
    REPRISE_JSON_UNCLOSED_STRING,
    REPRISE_JSON_ESCAPE,
    REPRISE_JSON_NUMBER_FORM,
    REPRISE_JSON_UNEXPECTED,
    REPRISE_JSON_ENDS_EARLY,
    REPRISE_JSON_TAIL,
    REPRISE_JSON_TOO_DEEP,
    REPRISE_JSON_MEMORY,
};

// Members of an object follow it as key, value, key, value; elements of an array as values.
typedef struct {
    uint32_t kind;
    // Offset of the token in the input (strings: of the first character behind the quote), or in the side text.
    uint32_t start;
    // Bytes; of containers with both brackets, of strings without the quotes.
    uint32_t length;
    // Index of the first node behind this value and all within it.
    uint32_t next;
} reprise_json_node;

typedef struct {
    int error;
    // Byte offset of the error.
    size_t position;
    const reprise_json_node *nodes;
    size_t node_count;
    const uint8_t *text;
    size_t text_count;
} reprise_json_result;

// Reads a whole document of at most 2^31 bytes. The result stands in memory of the calling thread and is overwritten by that
// thread's next call.
reprise_json_result reprise_json_read(const uint8_t *bytes, size_t count, uint32_t depth_max);

#ifdef __cplusplus
}
#endif
#endif
