/* Of ESP-IDF. */
#include <stddef.h>
void esp_fill_random(void *into, size_t length);
