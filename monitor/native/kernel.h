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

#endif
