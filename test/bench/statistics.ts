/** Statistics of many samples of one thing. */

/** Median and quartiles of some samples. */
export interface Summary {
  readonly median: number;
  /** Lower and upper. */
  readonly low: number;
  readonly high: number;
  readonly samples: number;
}

/** A quantile, interpolated between two samples. */
export function quantile(sorted: readonly number[], share: number): number {
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)];
  const above = sorted[Math.ceil(place)];
  if (below === undefined || above === undefined) throw new Error("there are no samples");
  return below + (above - below) * (place - Math.floor(place));
}

/** Computes median and quartiles. */
export function summarise(samples: readonly number[]): Summary {
  const sorted = samples.toSorted((a, b) => a - b);
  return {
    median: quantile(sorted, 0.5),
    low: quantile(sorted, 0.25),
    high: quantile(sorted, 0.75),
    samples: sorted.length,
  };
}
