// Whether something that was looked at again and again has grown. Pure.
import { quantile } from "../statistics.ts";

/** What was found. */
export interface Growth {
  /** Median of the first third, the warm-up left out. */
  readonly first: number | undefined;
  /** Median of the last third. */
  readonly last: number | undefined;
  readonly isFlat: boolean;
}

/** How much more the last third may have than the first: so many times it, and so much on top. */
export interface Slack {
  readonly times: number;
  readonly more: number;
}

/** Of all looks, the share at the beginning in which everything is still being loaded. */
const warmUp = 0.2;

/** Compares the medians of the first and the last third. What was hardly looked at is not flat. */
export function growthOf(looks: readonly number[], { times, more }: Slack): Growth {
  const warm = looks.slice(Math.floor(looks.length * warmUp));
  const third = Math.floor(warm.length / 3);
  const first = quantile(warm.slice(0, third), 0.5);
  const last = quantile(warm.slice(warm.length - third), 0.5);
  return { first, last, isFlat: first !== undefined && last !== undefined && last <= first * times + more };
}
