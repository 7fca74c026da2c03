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

/* The natural logarithm of a positive number without its power of two, by the polynomial of Cephes' logf; and that power. */
INLINE float mantissa_logarithm(float value, float *power)
{
    int32_t bits;
    __builtin_memcpy(&bits, &value, sizeof bits);
    const int32_t big = (bits & 0x7fffff) > 0x3504f3; /* above the square root of two */
    *power = (float)((bits >> 23) - 127 + big);
    bits = (bits & 0x7fffff) | (0x3f800000 - (big << 23));
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

#endif
