/* Of the SoftDevice's nrf_soc.h, and of nrf_error.h. */
#include <stdint.h>
#define NRF_SUCCESS 0
#define NRF_ERROR_SOC_RAND_NOT_ENOUGH_VALUES 0x2005
uint32_t sd_rand_application_pool_capacity_get(uint8_t *capacity);
uint32_t sd_rand_application_vector_get(uint8_t *into, uint8_t length);
