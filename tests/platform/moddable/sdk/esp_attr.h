/* Of ESP-IDF. */
#define RTC_DATA_ATTR
