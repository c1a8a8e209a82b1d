#include <curl/curl.h>

// Swift does not import C's variadic functions; each shape that is used has a name here.
static inline CURLcode reprise_curl_set_long(CURL *h, CURLoption o, long v) { return curl_easy_setopt(h, o, v); }
static inline CURLcode reprise_curl_set_string(CURL *h, CURLoption o, const char *v) { return curl_easy_setopt(h, o, v); }
static inline CURLcode reprise_curl_set_pointer(CURL *h, CURLoption o, const void *v) { return curl_easy_setopt(h, o, v); }
static inline CURLcode reprise_curl_set_offset(CURL *h, CURLoption o, curl_off_t v) { return curl_easy_setopt(h, o, v); }
typedef size_t (*reprise_curl_transfer)(char *, size_t, size_t, void *);
static inline CURLcode reprise_curl_set_transfer(CURL *h, CURLoption o, reprise_curl_transfer f) { return curl_easy_setopt(h, o, f); }
static inline CURLcode reprise_curl_get_long(CURL *h, CURLINFO i, long *v) { return curl_easy_getinfo(h, i, v); }
