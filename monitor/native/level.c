/* Level, power and extremes of frames of 30 ms. See monitor/gate/level.py. */
#include "kernel.h"

/* The digest of these sources, so that a library can be told from an older one. */
EXPORT const char sources[] = SOURCES;

#define COSINES 7 /* 0 to 100 Hz; monitor/gate/level.py makes them */
#define WAYS 8 /* partial sums, in lanes */
#define ROOT_OF_SAMPLES 21.908902300206645
#define SILENCE_DBFS -120.0 /* monitor/gate/level.py has it, too */
#define SILENCE_POWER 1e-12

typedef float Lanes __attribute__((vector_size(4 * WAYS)));

INLINE float total(Lanes x) { return ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7])); }

/* The energy that is left when the slow cosines are taken out of the samples themselves: where those hold nearly all
 * of it, single precision leaves no difference of energies. */
static float energy_without(const float *x, const float *cosines, const float *slow)
{
    float rest[FRAME_SAMPLES];
    for (int i = 0; i < FRAME_SAMPLES; i++)
        rest[i] = x[i];
    for (int r = 0; r < COSINES; r++)
        for (int i = 0; i < FRAME_SAMPLES; i++)
            rest[i] -= slow[r] * cosines[r * FRAME_SAMPLES + i];
    Lanes sum = {0};
    for (int i = 0; i < FRAME_SAMPLES; i += WAYS) {
        Lanes x;
        __builtin_memcpy(&x, rest + i, sizeof x);
        sum += x * x;
    }
    return total(sum);
}

/* One frame. All sums are taken side by side: one after the other each would wait for itself. */
static void measure_one(const float *samples, const float *cosines, float mostly, Measure *out)
{
    Lanes sums[COSINES], energy = {0};
    float low[WAYS], high[WAYS];
    for (int r = 0; r < COSINES; r++)
        sums[r] = (Lanes){0};
    for (int j = 0; j < WAYS; j++)
        low[j] = high[j] = samples[j];
    for (int i = 0; i < FRAME_SAMPLES; i += WAYS) {
        Lanes x;
        __builtin_memcpy(&x, samples + i, sizeof x);
        for (int j = 0; j < WAYS; j++) {
            low[j] = x[j] < low[j] ? x[j] : low[j];
            high[j] = x[j] > high[j] ? x[j] : high[j];
        }
        energy += x * x;
        for (int r = 0; r < COSINES; r++) {
            Lanes cosine;
            __builtin_memcpy(&cosine, cosines + r * FRAME_SAMPLES + i, sizeof cosine);
            sums[r] += cosine * x;
        }
    }
    float slow[COSINES], slow_energy = 0;
    for (int j = 1; j < WAYS; j++) {
        low[0] = low[j] < low[0] ? low[j] : low[0];
        high[0] = high[j] > high[0] ? high[j] : high[0];
    }
    for (int r = 0; r < COSINES; r++) {
        slow[r] = total(sums[r]);
        slow_energy += slow[r] * slow[r];
    }
    const float all = total(energy);
    const float fast = slow_energy < mostly * all ? all - slow_energy : energy_without(samples, cosines, slow);
    const double fast_power = (double)fast / FRAME_SAMPLES;
    const int is_silent = !(fast_power > SILENCE_POWER);
    /* The first cosine is constant: divided by the root of their number, its share is the mean of the samples. */
    *out = (Measure){is_silent ? SILENCE_DBFS : decibels(fast_power), is_silent ? SILENCE_POWER : fast_power,
                     (double)all / FRAME_SAMPLES, slow[0] / ROOT_OF_SAMPLES, low[0], high[0]};
}

EXPORT void measure(const float *samples, int32_t count, const float *cosines, double mostly, Measure *out)
{
    for (int32_t i = 0; i < count; i++)
        measure_one(samples + i * FRAME_SAMPLES, cosines, (float)mostly, out + i);
}
