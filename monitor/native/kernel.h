/* What the kernels share. Plain C11 without libc: nothing to link, nothing to initialise, no state of its own.
 *
 * Every sum is written in the order in which it is taken (no -ffast-math, no contraction into fused operations), so
 * every machine gives the same bits. Loops over LANES, hops or channels are written for the compiler to vectorise.
 */
#ifndef EARWITNESS_KERNEL_H
#define EARWITNESS_KERNEL_H

#include <stdint.h>

#define EXPORT __attribute__((visibility("default")))
#define INLINE static inline __attribute__((always_inline))

#define FRAME_SAMPLES 480
#define HOP 160
#define HOPS 12                    /* rows made at once: 120 ms */
#define SMOOTHED 3                 /* spectra summed into one row */
#define BINS 231                   /* 312 Hz to 7.5 kHz */
#define SHORT_WINDOW 512
#define LONG_WINDOW 1024
#define SHORT_WIDE 251             /* bins with ten more to either side */
#define LONG_WIDE 87
#define LONG_BINS 47               /* half bins below 1 kHz */
#define WIDE (SHORT_WIDE + LONG_WIDE)
#define OWN (BINS + LONG_BINS)
#define LOW_BINS 23                /* bins that the long window answers for */
#define MOST_BANDS 32

/* Level, power and extremes of a frame: see monitor/gate/level.py. */
typedef struct {
    double level_dbfs; /* above 100 Hz; at least SILENCE_DBFS */
    double fast_power; /* the same as a mean square */
    double power;      /* mean square of the samples as they came */
    double mean;
    double lowest, highest;
} Measure;

/* `count` frames, one after the other; `cosines` are orthonormal rows of a frame's length. Where they hold the share
 * `mostly` of the energy they are taken out of the samples. */
EXPORT void measure(const float *samples, int32_t count, const float *cosines, double mostly, Measure *out);

typedef struct Tonality Tonality;

/* Of ten frames, 0 to 1: see monitor/gate/tonality.py. */
EXPORT double tonal_share(const Tonality *t, const float *block);

/* The natural logarithm of a positive number without its power of two, by the polynomial of Cephes' logf; and that power.
 * The number is taken from the root of a half on: what is below belongs to the power before. */
INLINE float mantissa_logarithm(float value, float *power)
{
    int32_t bits;
    __builtin_memcpy(&bits, &value, sizeof bits);
    const int32_t whole = (bits - 0x3f3504f4) >> 23;
    *power = (float)whole;
    bits -= whole * (1 << 23);
    float m;
    __builtin_memcpy(&m, &bits, sizeof m);
    m -= 1.0f;
    const float z = m * m;
    float p = 7.0376836292e-2f;
    p = p * m - 1.1514610310e-1f;
    p = p * m + 1.1676998740e-1f;
    p = p * m - 1.2420140846e-1f;
    p = p * m + 1.4249322787e-1f;
    p = p * m - 1.6668057665e-1f;
    p = p * m + 2.0000714765e-1f;
    p = p * m - 2.4999993993e-1f;
    p = p * m + 3.3333331174e-1f;
    return m + (p * m * z - 0.5f * z);
}

/* 10 log10 of a positive number, in double precision: twice the inverse hyperbolic tangent, by its series. */
INLINE double decibels(double value)
{
    int64_t bits;
    __builtin_memcpy(&bits, &value, sizeof bits);
    const int64_t big = (bits & 0xfffffffffffff) > 0x6a09e667f3bcc; /* above the square root of two */
    const double power = (double)((bits >> 52) - 1023 + big);
    bits = (bits & 0xfffffffffffff) | ((1023 - big) << 52);
    double m;
    __builtin_memcpy(&m, &bits, sizeof m);
    const double s = (m - 1) / (m + 1), z = s * s;
    double p = 1.0 / 21;
    for (int odd = 19; odd > 0; odd -= 2)
        p = p * z + 1.0 / odd;
    return 8.6858896380650365530 * (s * p) + 3.0102999566398119521 * power;
}

#endif
