/* Fourier's transform of several windows at once: one lane each, so that none depends on the others. */
#ifndef EARWITNESS_TRANSFORM_H
#define EARWITNESS_TRANSFORM_H

#include "kernel.h"

#ifdef __AVX__
#define WAYS 8 /* windows transformed at once: what one register holds */
#else
#define WAYS 4
#endif

typedef float Lanes __attribute__((vector_size(4 * WAYS)));
typedef float Four __attribute__((vector_size(16)));
typedef struct { Lanes re, im; } Cell;

INLINE void butterfly(const Cell *a, const Cell *b, const Cell *c, const Cell *d, Cell *y, int stride, const float *w)
{
    const Lanes sr = a->re + c->re, si = a->im + c->im, dr = a->re - c->re, di = a->im - c->im;
    const Lanes tr = b->re + d->re, ti = b->im + d->im, ur = b->re - d->re, ui = b->im - d->im;
    const Lanes fr = dr + ui, fi = di - ur, gr = sr - tr, gi = si - ti, hr = dr - ui, hi = di + ur;
    y[0] = (Cell){sr + tr, si + ti};
    y[stride] = w ? (Cell){w[0] * fr - w[1] * fi, w[0] * fi + w[1] * fr} : (Cell){fr, fi};
    y[2 * stride] = w ? (Cell){w[2] * gr - w[3] * gi, w[2] * gi + w[3] * gr} : (Cell){gr, gi};
    y[3 * stride] = w ? (Cell){w[4] * hr - w[5] * hi, w[4] * hi + w[5] * hr} : (Cell){hr, hi};
}

/* The butterflies of one turn, `stride` of them; none where `w` is null: the first of each pass has a turn of one. */
INLINE void butterflies(const Cell *x, int apart, Cell *y, int stride, const float *w)
{
    for (int q = 0; q < stride; q++, x++)
        butterfly(x, x + apart, x + 2 * apart, x + 3 * apart, y + q, stride, w);
}

/* Stockham's transform of `n` complex values (a power of four, or twice one), radix 4, in natural order: the result is
 * in `x` or in `y`. `w` holds e^(-2 pi i p j / n) for p below n / 4 and j = 1, 2, 3, or that of an n so many times `finer`. */
INLINE Cell *transformed_by(Cell *x, Cell *y, int n, const float *w, int finer)
{
    int stride = 1, left = n;
    for (; left >= 4; left /= 4, stride *= 4) {
        const int m = left / 4;
        butterflies(x, stride * m, y, stride, 0);
        for (int p = 1; p < m; p++)
            butterflies(x + stride * p, stride * m, y + stride * 4 * p, stride, w + 6 * p * stride * finer);
        Cell *swap = x;
        x = y;
        y = swap;
    }
    if (left == 1)
        return x;
    for (int q = 0; q < stride; q++) {
        const Cell a = x[q], b = x[q + stride];
        y[q] = (Cell){a.re + b.re, a.im + b.im};
        y[q + stride] = (Cell){a.re - b.re, a.im - b.im};
    }
    return y;
}

INLINE Cell *transformed(Cell *x, Cell *y, int n, const float *w) { return transformed_by(x, y, n, w, 1); }

INLINE Four four(const float *from)
{
    Four x;
    __builtin_memcpy(&x, from, sizeof x);
    return x;
}

/* Four rows of four become columns. */
INLINE void put_turned_four(Four a, Four b, Four c, Four d, float *to, int to_stride)
{
    const Four ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    const Four ba = __builtin_shufflevector(a, b, 2, 6, 3, 7), dc = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    const Four out[4] = {__builtin_shufflevector(ab, cd, 0, 1, 4, 5), __builtin_shufflevector(ab, cd, 2, 3, 6, 7),
                         __builtin_shufflevector(ba, dc, 0, 1, 4, 5), __builtin_shufflevector(ba, dc, 2, 3, 6, 7)};
    for (int i = 0; i < 4; i++)
        __builtin_memcpy(to + i * to_stride, out + i, sizeof out[i]);
}

INLINE void turn(const float *from, int stride, float *to, int to_stride)
{
    put_turned_four(four(from), four(from + stride), four(from + 2 * stride), four(from + 3 * stride), to, to_stride);
}

#endif
