#include "CSimdjson.h"

#include <cstring>
#include <memory>
#include <new>
#include <simdjson.h>
#include <vector>

namespace {

// simdjson's parsers are asked for room in steps, so that bodies of growing size do not allocate each time.
constexpr size_t capacityStep = 256 * 1024;

class Reader {
public:
    reprise_json_result read(const uint8_t *bytes, size_t count, uint32_t depthMax) {
        nodes.clear();
        text.clear();
        open.clear();
        input = bytes;
        size = count;
        int error = count > 0x7fffffff ? REPRISE_JSON_MEMORY : findTokens();
        if (error == REPRISE_JSON_OK) error = build(depthMax);
        return {error, position, nodes.data(), nodes.size(), text.data(), text.size()};
    }

private:
    struct Container {
        uint32_t node;
        bool object;
    };

    const uint8_t *input = nullptr;
    size_t size = 0;
    size_t position = 0;
    size_t capacity = 0;
    std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
    std::vector<reprise_json_node> nodes;
    std::vector<uint8_t> text;
    std::vector<Container> open;

    int fail(int error, size_t at) {
        position = at;
        return error;
    }

    int findTokens() {
        position = 0;
        if (size == 0) return fail(REPRISE_JSON_EMPTY, 0);
        if (!parser || capacity < size) {
            size_t wanted = (size / capacityStep + 1) * capacityStep;
            parser.reset();
            capacity = 0;
            if (simdjson::get_active_implementation()->create_dom_parser_implementation(wanted, 16, parser)) {
                return fail(REPRISE_JSON_MEMORY, 0);
            }
            capacity = wanted;
        }
        switch (parser->stage1(input, size, simdjson::stage1_mode::regular)) {
        case simdjson::SUCCESS: return REPRISE_JSON_OK;
        case simdjson::EMPTY: return fail(REPRISE_JSON_EMPTY, size);
        case simdjson::UTF8_ERROR: return fail(REPRISE_JSON_UTF8, invalidUTF8());
        case simdjson::UNESCAPED_CHARS: return locateInStrings(REPRISE_JSON_CONTROL_CHARACTER);
        case simdjson::UNCLOSED_STRING: return locateInStrings(REPRISE_JSON_UNCLOSED_STRING);
        case simdjson::MEMALLOC: return fail(REPRISE_JSON_MEMORY, 0);
        default: return fail(REPRISE_JSON_UNEXPECTED, 0);
        }
    }

    // Offset of the first byte that is not UTF-8.
    size_t invalidUTF8() const {
        size_t at = 0;
        while (at < size) {
            uint8_t lead = input[at];
            size_t length = lead < 0x80 ? 1 : lead >= 0xc2 && lead < 0xe0 ? 2 : (lead & 0xf0) == 0xe0 ? 3 : lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
            if (length == 0 || at + length > size) return at;
            for (size_t i = 1; i < length; i++) {
                if ((input[at + i] & 0xc0) != 0x80) return at;
            }
            if ((lead == 0xe0 && input[at + 1] < 0xa0) || (lead == 0xed && input[at + 1] >= 0xa0) ||
                (lead == 0xf0 && input[at + 1] < 0x90) || (lead == 0xf4 && input[at + 1] >= 0x90)) {
                return at;
            }
            at += length;
        }
        return size;
    }

    // Where a string holds a control character, or where the string begins that never ends. An unclosed string may make
    // either of the two out of what follows it: the first that is found is told.
    int locateInStrings(int otherwise) {
        bool inside = false;
        size_t begin = 0;
        for (size_t at = 0; at < size; at++) {
            uint8_t c = input[at];
            if (!inside) {
                if (c == '"') {
                    inside = true;
                    begin = at;
                }
            } else if (c == '\\') {
                at++;
            } else if (c == '"') {
                inside = false;
            } else if (c < 0x20) {
                return fail(REPRISE_JSON_CONTROL_CHARACTER, at);
            }
        }
        if (inside) return fail(REPRISE_JSON_UNCLOSED_STRING, begin);
        return fail(otherwise, 0);
    }

    static bool digit(uint8_t c) { return c >= '0' && c <= '9'; }

    bool ends(size_t at) const {
        if (at >= size) return true;
        switch (input[at]) {
        case ' ': case '\t': case '\n': case '\r': case ',': case ']': case '}': case ':': case '{': case '[': case '"': return true;
        default: return false;
        }
    }

    int number(size_t at) {
        size_t start = at;
        if (input[at] == '-') at++;
        if (at >= size || !digit(input[at])) return fail(REPRISE_JSON_NUMBER_FORM, start);
        if (input[at] == '0') {
            at++;
        } else {
            while (at < size && digit(input[at])) at++;
        }
        if (at < size && input[at] == '.') {
            at++;
            if (at >= size || !digit(input[at])) return fail(REPRISE_JSON_NUMBER_FORM, start);
            while (at < size && digit(input[at])) at++;
        }
        if (at < size && (input[at] == 'e' || input[at] == 'E')) {
            at++;
            if (at < size && (input[at] == '+' || input[at] == '-')) at++;
            if (at >= size || !digit(input[at])) return fail(REPRISE_JSON_NUMBER_FORM, start);
            while (at < size && digit(input[at])) at++;
        }
        if (!ends(at)) return fail(REPRISE_JSON_NUMBER_FORM, start);
        add(REPRISE_JSON_NUMBER, start, at - start);
        return REPRISE_JSON_OK;
    }

    int word(const char *expected, size_t length, uint32_t kind, size_t at) {
        if (at + length > size || memcmp(input + at, expected, length) != 0 || !ends(at + length)) {
            return fail(REPRISE_JSON_UNEXPECTED, at);
        }
        add(kind, at, length);
        return REPRISE_JSON_OK;
    }

    void add(uint32_t kind, size_t start, size_t length) {
        nodes.push_back({kind, uint32_t(start), uint32_t(length), uint32_t(nodes.size() + 1)});
    }

    // `at` is behind the opening quote; stage 1 has seen the closing one.
    int string(size_t at) {
        size_t end = at;
        while (end < size && input[end] != '"' && input[end] != '\\') end++;
        if (end >= size) return fail(REPRISE_JSON_UNCLOSED_STRING, at - 1);
        if (input[end] == '"') {
            add(REPRISE_JSON_STRING, at, end - at);
            return REPRISE_JSON_OK;
        }
        size_t start = text.size();
        text.insert(text.end(), input + at, input + end);
        while (end < size && input[end] != '"') {
            if (input[end] != '\\') {
                text.push_back(input[end++]);
                continue;
            }
            if (!escape(end)) return fail(REPRISE_JSON_ESCAPE, end);
        }
        if (end >= size) return fail(REPRISE_JSON_UNCLOSED_STRING, at - 1);
        add(REPRISE_JSON_STRING_UNESCAPED, start, text.size() - start);
        return REPRISE_JSON_OK;
    }

    // Reads the escape at `at` and moves behind it.
    bool escape(size_t &at) {
        if (at + 1 >= size) return false;
        uint8_t plain;
        switch (input[at + 1]) {
        case '"': plain = '"'; break;
        case '\\': plain = '\\'; break;
        case '/': plain = '/'; break;
        case 'b': plain = '\b'; break;
        case 'f': plain = '\f'; break;
        case 'n': plain = '\n'; break;
        case 'r': plain = '\r'; break;
        case 't': plain = '\t'; break;
        case 'u': return unicode(at);
        default: return false;
        }
        text.push_back(plain);
        at += 2;
        return true;
    }

    bool unit(size_t at, uint32_t &value) const {
        if (at + 6 > size || input[at] != '\\' || input[at + 1] != 'u') return false;
        value = 0;
        for (size_t i = at + 2; i < at + 6; i++) {
            uint8_t c = input[i];
            uint32_t nibble;
            if (digit(c)) nibble = c - '0';
            else if (c >= 'a' && c <= 'f') nibble = c - 'a' + 10;
            else if (c >= 'A' && c <= 'F') nibble = c - 'A' + 10;
            else return false;
            value = value << 4 | nibble;
        }
        return true;
    }

    bool unicode(size_t &at) {
        uint32_t code;
        if (!unit(at, code)) return false;
        size_t length = 6;
        if (code >= 0xdc00 && code < 0xe000) return false;
        if (code >= 0xd800 && code < 0xdc00) {
            uint32_t low;
            if (!unit(at + 6, low) || low < 0xdc00 || low >= 0xe000) return false;
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            length = 12;
        }
        if (code < 0x80) {
            text.push_back(uint8_t(code));
        } else if (code < 0x800) {
            text.push_back(uint8_t(0xc0 | code >> 6));
            text.push_back(uint8_t(0x80 | (code & 0x3f)));
        } else if (code < 0x10000) {
            text.push_back(uint8_t(0xe0 | code >> 12));
            text.push_back(uint8_t(0x80 | (code >> 6 & 0x3f)));
            text.push_back(uint8_t(0x80 | (code & 0x3f)));
        } else {
            text.push_back(uint8_t(0xf0 | code >> 18));
            text.push_back(uint8_t(0x80 | (code >> 12 & 0x3f)));
            text.push_back(uint8_t(0x80 | (code >> 6 & 0x3f)));
            text.push_back(uint8_t(0x80 | (code & 0x3f)));
        }
        at += length;
        return true;
    }

    // What may come next.
    enum class Expect { value, valueOrEnd, key, keyOrEnd, colon, commaOrEnd };

    int build(uint32_t depthMax) {
        const uint32_t *tokens = parser->structural_indexes.get();
        uint32_t count = parser->n_structural_indexes;
        Expect expect = Expect::value;
        for (uint32_t i = 0; i < count; i++) {
            size_t at = tokens[i];
            if (at >= size) break;
            uint8_t c = input[at];
            switch (expect) {
            case Expect::colon:
                if (c != ':') return fail(REPRISE_JSON_UNEXPECTED, at);
                expect = Expect::value;
                continue;
            case Expect::key:
            case Expect::keyOrEnd:
                if (c == '}' && expect == Expect::keyOrEnd) {
                    close(at);
                    expect = Expect::commaOrEnd;
                    continue;
                }
                if (c != '"') return fail(REPRISE_JSON_UNEXPECTED, at);
                if (int error = string(at + 1)) return error;
                expect = Expect::colon;
                continue;
            case Expect::commaOrEnd:
                if (open.empty()) return fail(REPRISE_JSON_TAIL, at);
                if (c == ',') {
                    expect = open.back().object ? Expect::key : Expect::value;
                    continue;
                }
                if (c != (open.back().object ? '}' : ']')) return fail(REPRISE_JSON_UNEXPECTED, at);
                close(at);
                continue;
            case Expect::valueOrEnd:
                if (c == ']') {
                    close(at);
                    expect = Expect::commaOrEnd;
                    continue;
                }
                break;
            case Expect::value: break;
            }
            if (c == '{' || c == '[') {
                if (open.size() >= depthMax) return fail(REPRISE_JSON_TOO_DEEP, at);
                open.push_back({uint32_t(nodes.size()), c == '{'});
                add(c == '{' ? REPRISE_JSON_OBJECT : REPRISE_JSON_ARRAY, at, 0);
                expect = c == '{' ? Expect::keyOrEnd : Expect::valueOrEnd;
                continue;
            }
            if (int error = scalar(c, at)) return error;
            expect = Expect::commaOrEnd;
        }
        if (!open.empty() || expect != Expect::commaOrEnd) return fail(REPRISE_JSON_ENDS_EARLY, size);
        return REPRISE_JSON_OK;
    }

    void close(size_t at) {
        reprise_json_node &node = nodes[open.back().node];
        node.length = uint32_t(at + 1 - node.start);
        node.next = uint32_t(nodes.size());
        open.pop_back();
    }

    int scalar(uint8_t c, size_t at) {
        switch (c) {
        case '"': return string(at + 1);
        case 't': return word("true", 4, REPRISE_JSON_TRUE, at);
        case 'f': return word("false", 5, REPRISE_JSON_FALSE, at);
        case 'n': return word("null", 4, REPRISE_JSON_NULL, at);
        default:
            if (c == '-' || digit(c)) return number(at);
            return fail(REPRISE_JSON_UNEXPECTED, at);
        }
    }
};

}  // namespace

reprise_json_result reprise_json_read(const uint8_t *bytes, size_t count, uint32_t depth_max) {
    static thread_local Reader reader;
    try {
        return reader.read(bytes, count, depth_max);
    } catch (const std::bad_alloc &) {
        return {REPRISE_JSON_MEMORY, 0, nullptr, 0, nullptr, 0};
    }
}
