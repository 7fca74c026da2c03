/* Where in the newest sound a rhythm may just have ended. See monitor/rhythm/candidates.py.
 *
 * Prominences are kept as running sums, so a mean over any stretch is one subtraction. The sums may wrap around.
 */
#include "kernel.h"

#define MOST_PARTS 16
#define TEMPI 3

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

INLINE double mean_db(const int32_t *end, int stride, const int32_t *core, double step_db)
{
    const uint32_t sum = (uint32_t)end[core[1] * stride] - (uint32_t)end[core[0] * stride];
    return (int32_t)sum * (step_db / (core[1] - core[0]));
}

/* Fit of one tempo: 0 when too many parts are on the wrong side of the middle between tone and gap. */
static int fits(const int32_t *end, int stride, const Search *s, const int32_t (*cores)[2], Place *found)
{
    double means[MOST_PARTS], on = 0, off = 0, astray_db = -1e300;
    int ons = 0, gaps = 0, stray_ons = 0, stray_quiets = 0;
    for (int i = 0; i < s->part_count; i++) {
        means[i] = mean_db(end, stride, cores[i], s->step_db);
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

/* Places at `ends` rows, each `step` rows after the one before, from `sums` on; one for each row and channel at most.
 * How many there are. */
EXPORT int32_t find_places(const int32_t *sums, int32_t channels, int32_t ends, int32_t step, const Search *s,
                           Place *places)
{
    int32_t count = 0;
    for (int32_t row = 0; row < ends; row++) {
        const int32_t *end = sums + row * step * channels;
        for (int32_t c = 0; c < channels; c++) {
            const double last_db = mean_db(end + c, channels, s->last, s->step_db);
            const double quiet_db = mean_db(end + c, channels, s->quiet, s->step_db);
            if (!(last_db - quiet_db > s->least_db && last_db > s->least_on_db))
                continue;
            if (!(mean_db(end + c, channels, s->before, s->step_db) - quiet_db > s->least_before_db))
                continue;
            Place best = {.row = -1};
            for (int tempo = 0; tempo < TEMPI; tempo++) {
                Place place = {.row = row, .channel = c};
                if (fits(end + c, channels, s, s->cores[tempo], &place) &&
                    (best.row < 0 || merit(&place) > merit(&best)))
                    best = place;
            }
            if (best.row >= 0)
                places[count++] = best;
        }
    }
    return count;
}
