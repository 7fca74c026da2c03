/* Level, power and extremes of frames of 30 ms. See monitor/gate/level.py. */
#include "kernel.h"

/* The digest of these sources, so that a library can be told from an older one. */
EXPORT const char sources[] = SOURCES;

#define COSINES 7 /* 0 to 100 Hz; monitor/gate/level.py makes them */
#define WAYS 8 /* partial sums, in lanes */

typedef struct {
    float energy;      /* of the samples as they came */
    float fast_energy; /* without what the slowest cosines hold */
    float offset;      /* the share of the first, constant cosine */
    float lowest, highest;
} Measure;

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

/* One frame; `cosines` are COSINES orthonormal rows of a frame's length. Where they hold the share `mostly` of the energy
 * they are taken out of the samples. All sums are taken side by side: one after the other each would wait for itself. */
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
    out->lowest = low[0];
    out->highest = high[0];
    for (int j = 1; j < WAYS; j++) {
        out->lowest = low[j] < out->lowest ? low[j] : out->lowest;
        out->highest = high[j] > out->highest ? high[j] : out->highest;
    }
    for (int r = 0; r < COSINES; r++) {
        slow[r] = total(sums[r]);
        slow_energy += slow[r] * slow[r];
    }
    out->energy = total(energy);
    out->fast_energy =
        slow_energy < mostly * out->energy ? out->energy - slow_energy : energy_without(samples, cosines, slow);
    out->offset = slow[0];
}

/* `count` frames, one after the other. */
EXPORT void measure(const float *samples, int32_t count, const float *cosines, float mostly, Measure *out)
{
    for (int32_t i = 0; i < count; i++)
        measure_one(samples + i * FRAME_SAMPLES, cosines, mostly, out + i);
}
