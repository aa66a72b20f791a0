/* Of ESP-IDF. */
typedef int esp_err_t;
typedef enum { WIFI_MODE_NULL, WIFI_MODE_STA } wifi_mode_t;
#define ESP_OK 0
esp_err_t esp_wifi_get_mode(wifi_mode_t *mode);
esp_err_t esp_wifi_stop(void);
