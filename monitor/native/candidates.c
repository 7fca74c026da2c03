/* Where in the newest sound a rhythm may just have ended. See monitor/rhythm/candidates.py.
 *
 * Prominences are kept as running sums, so a mean over any stretch is one subtraction. The sums may wrap around.
 */
#include "kernel.h"

#define MOST_PARTS 16
#define TEMPI 3
#define GROUP 16 /* channels that are looked at together */

typedef struct {
    int32_t part_count;
    int32_t last[2], quiet[2], before[2]; /* first and past-last hop of three parts, from the end of the last */
    int32_t cores[TEMPI][MOST_PARTS][2];  /* the same of every part, at every tempo */
    int32_t is_on[MOST_PARTS], is_inner_gap[MOST_PARTS];
    double step_db, least_db, least_on_db, least_before_db, contrast_db;
} Search;

typedef struct {
    int32_t row, channel;
    double on_db, off_db, misfit;
} Place;

/* The sums are a ring of `rows` rows of `channels`. What a place is compared with lies at hops from its end. */
typedef struct {
    const int32_t *sums;
    int32_t channels, rows;
} Ring;

INLINE const int32_t *row_at(const Ring *ring, int32_t end, int32_t hops)
{
    const int32_t row = end + hops;
    return ring->sums + (row < 0 ? row + ring->rows : row) * ring->channels;
}

INLINE int32_t sum_of(const int32_t *end, const int32_t *first) { return (int32_t)((uint32_t)*end - (uint32_t)*first); }

/* A part of a rhythm: the rows before its first hop and of its last one, and what a sum over it is worth. */
typedef struct {
    const int32_t *first, *end;
    double each_db;
} Stretch;

INLINE Stretch stretch(const Ring *ring, int32_t end, const int32_t *core, double step_db)
{
    return (Stretch){row_at(ring, end, core[0]), row_at(ring, end, core[1]), step_db / (core[1] - core[0])};
}

INLINE double mean_db(const Stretch *part, int channel)
{
    return sum_of(part->end + channel, part->first + channel) * part->each_db;
}

/* Fit of one tempo: 0 when too many parts are on the wrong side of the middle between tone and gap. */
static int fits(const Ring *ring, int32_t end, const Search *s, const int32_t (*cores)[2], Place *found)
{
    double means[MOST_PARTS], on = 0, off = 0, astray_db = -1e300;
    int ons = 0, gaps = 0, stray_ons = 0, stray_quiets = 0;
    for (int i = 0; i < s->part_count; i++) {
        const Stretch part = stretch(ring, end, cores[i], s->step_db);
        means[i] = mean_db(&part, found->channel);
        on += s->is_on[i] ? means[i] : 0;
        off += s->is_inner_gap[i] ? means[i] : 0;
        ons += s->is_on[i];
        gaps += s->is_inner_gap[i];
    }
    found->on_db = on / ons;
    found->off_db = off / gaps;
    const double contrast_db = found->on_db - found->off_db, middle_db = (found->on_db + found->off_db) / 2;
    for (int i = 0; i < s->part_count; i++) {
        const double astray = s->is_on[i] ? middle_db - means[i] : means[i] - middle_db;
        astray_db = astray > astray_db ? astray : astray_db;
        stray_ons += astray > 0 && s->is_on[i];
        stray_quiets += astray > 0 && !s->is_on[i];
    }
    found->misfit = astray_db / (contrast_db > s->contrast_db ? contrast_db : s->contrast_db);
    return stray_ons <= 1 && stray_quiets <= 1 && contrast_db > s->contrast_db;
}

/* The better of two tempi: the higher contrast, and one in which no part is astray before all others. */
INLINE double merit(const Place *p) { return p->on_db - p->off_db + (p->misfit <= 0 ? 1 : 0); }

/* Whether any of `GROUP` channels may have a sum above `least`: of most sound none has. */
INLINE int any_above(const int32_t *end, const int32_t *first, int32_t least)
{
    int32_t any = 0;
    for (int c = 0; c < GROUP; c++)
        any |= sum_of(end + c, first + c) > least;
    return any;
}

/* Places at `ends` rows, each `step` rows after the one before, from row `at` on; one for each row and channel at most.
 * How many there are. */
EXPORT int32_t find_places(const int32_t *sums, int32_t channels, int32_t rows, int32_t at, int32_t ends, int32_t step,
                           const Search *s, Place *places)
{
    const Ring ring = {sums, channels, rows};
    int32_t count = 0;
    for (int32_t row = 0; row < ends; row++) {
        const int32_t end = (at + row * step) % rows;
        const Stretch last = stretch(&ring, end, s->last, s->step_db);
        const Stretch quiet = stretch(&ring, end, s->quiet, s->step_db);
        const Stretch before = stretch(&ring, end, s->before, s->step_db);
        const int32_t least = (int32_t)(s->least_on_db / last.each_db) - 1;
        for (int32_t c = 0; c < channels; c++) {
            if (c % GROUP == 0 && c + GROUP <= channels && !any_above(last.end + c, last.first + c, least)) {
                c += GROUP - 1;
                continue;
            }
            const double last_db = mean_db(&last, c), quiet_db = mean_db(&quiet, c);
            if (!(last_db - quiet_db > s->least_db && last_db > s->least_on_db))
                continue;
            if (!(mean_db(&before, c) - quiet_db > s->least_before_db))
                continue;
            Place best = {.row = -1};
            for (int tempo = 0; tempo < TEMPI; tempo++) {
                Place place = {.row = row, .channel = c};
                if (fits(&ring, end, s, s->cores[tempo], &place) && (best.row < 0 || merit(&place) > merit(&best)))
                    best = place;
            }
            if (best.row >= 0)
                places[count++] = best;
        }
    }
    return count;
}
