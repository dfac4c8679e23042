// What a list of measured values says. Pure.

/** The middle, the high end and the number of some values; `undefined` where there are none. */
export interface Spread {
  readonly p50: number | undefined;
  readonly p95: number | undefined;
  readonly count: number;
}

/** The least value that such a share of all is not above; `undefined` where there are none. */
export function quantile(values: readonly number[], share: number): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

/** Median and 95th percentile. */
export function spreadOf(values: readonly number[]): Spread {
  return { p50: quantile(values, 0.5), p95: quantile(values, 0.95), count: values.length };
}

/** One value less another; `undefined` where either was not measured. */
export function above(value: number | undefined, base: number | undefined): number | undefined {
  return value === undefined || base === undefined ? undefined : value - base;
}
