/* What a device does with pump.h, which export.py writes: a reading becomes a row, and a row a prediction.
 *
 * cc -std=c99 -O2 main.c -o main -lm
 */
#include <stdio.h>

#include "pump.h"

typedef struct {
  double temperature; /* in degrees Celsius; NAN if the sensor does not answer */
  double vibration;   /* in mm/s */
  int mode;           /* one of PUMP_MODE_IDLE, PUMP_MODE_NORMAL and PUMP_MODE_BOOST; 0 if it is unknown */
} Reading;

/* A device has its sensors here. */
static const Reading readings[] = {
    {41.5, 2.0, PUMP_MODE_NORMAL},
    {43.0, 9.5, PUMP_MODE_IDLE},
    {71.0, 2.5, PUMP_MODE_BOOST},
    {(double)NAN, 3.0, 0},
};

/* The number of the state of a pump, or -1; y holds the probability of each. */
static int state_of(const Reading* reading, double y[PUMP_N_OUTPUTS]) {
  double row[PUMP_N_INPUTS];
  row[PUMP_TEMPERATURE] = reading->temperature;
  row[PUMP_VIBRATION] = reading->vibration;
  row[PUMP_MODE] = reading->mode;
  pump_predict(row, y);
  return pump_predict_class(row);
}

int main(void) {
  for (size_t i = 0; i < sizeof readings / sizeof *readings; ++i) {
    double y[PUMP_N_OUTPUTS];
    const int state = state_of(&readings[i], y);
    if (state < 0) return 1;
    printf("%s", pump_classes[state]);
    for (int k = 0; k < PUMP_N_CLASSES; ++k) printf(" %.6f", y[k]);
    printf("\n");
  }
  return 0;
}
