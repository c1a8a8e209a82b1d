#ifndef X
#define X
int csimdjson_placeholder(void);
#endif
