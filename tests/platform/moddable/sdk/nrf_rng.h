/* Of the nRF5 SDK's modules/nrfx/hal/nrf_rng.h. */
#include <stdbool.h>
#include <stdint.h>
typedef enum { NRF_RNG_TASK_START, NRF_RNG_TASK_STOP } nrf_rng_task_t;
typedef enum { NRF_RNG_EVENT_VALRDY } nrf_rng_event_t;
void nrf_rng_task_trigger(nrf_rng_task_t task);
void nrf_rng_event_clear(nrf_rng_event_t event);
bool nrf_rng_event_get(nrf_rng_event_t event);
uint8_t nrf_rng_random_value_get(void);
void nrf_rng_error_correction_enable(void);
