"""What is left out of a picture because no eye can see it: all but some of the seeds of an arm.

The seeds are ordered by the loss at their end, those that ended early last, and `MOST_SEEDS` at equal distances in
this order are drawn, the best and the worst among them. Medians are over all seeds. Of the points of one line,
Matplotlib leaves out those that move it by less than a ninth of a pixel.
"""

from collections.abc import Sequence

Points = tuple[tuple[int, float], ...]  # (step, loss)

MOST_SEEDS = 30


def drawn_seeds(seeds: Sequence[Points]) -> tuple[Points, ...]:
    """Return the seeds that are drawn, in their order; all of them where they are few."""
    if len(seeds) <= MOST_SEEDS:
        return tuple(seeds)
    last_step = max((step for seed in seeds for step, _ in seed[-1:]), default=0)

    def rank(number: int) -> tuple[bool, float]:
        seed = seeds[number]
        return (seed[-1][0] < last_step, seed[-1][1]) if seed else (True, 0.0)

    ranked = sorted(range(len(seeds)), key=rank)
    chosen = {ranked[round(place * (len(seeds) - 1) / (MOST_SEEDS - 1))] for place in range(MOST_SEEDS)}
    return tuple(seed for number, seed in enumerate(seeds) if number in chosen)


def thinning_words(most_seeds: int) -> str:
    """Return what a caption says where seeds are left out of a picture, from the most that an arm has."""
    if most_seeds <= MOST_SEEDS:
        return ""
    return f" ({MOST_SEEDS} of up to {most_seeds:,} seeds of an arm are drawn, spread evenly over their final losses)"
