/* Of Zephyr. */
#include <stddef.h>
int sys_csrand_get(void *into, size_t length);
