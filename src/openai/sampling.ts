// How hard the model thinks and how it samples, the same in OpenAI's two APIs → a turn's. Pure.
import type { Effort, Turn } from "../turn/turn.ts";

/** OpenAI's names for how hard a model thinks. */
export const efforts = ["none", "minimal", "low", "medium", "high", "xhigh", "max"] as const;

/** One of {@link efforts}. */
export type RequestEffort = (typeof efforts)[number];

/** What a request says of it. */
export interface Sampling {
  readonly temperature?: number | null | undefined;
  readonly top_p?: number | null | undefined;
  readonly effort: RequestEffort | null | undefined;
}

/** Understands it; names of what has no effect are added to `ignored`. */
export function toSampling({ temperature, top_p: topP, effort }: Sampling, ignored: string[]): Turn["sampling"] {
  const thinks = effort !== undefined && effort !== null && effort !== "none";
  const hasTemperature = temperature !== undefined && temperature !== null;
  const hasTopP = topP !== undefined && topP !== null;
  if (hasTemperature && thinks) ignored.push("temperature");
  if (hasTopP && (thinks || hasTemperature)) ignored.push("top_p");
  if (thinks) return {};
  // The Messages API's temperature ends at 1, OpenAI's at 2; newer models take one of the two parameters only.
  if (hasTemperature) return { temperature: Math.min(temperature, 1) };
  return hasTopP ? { top_p: topP } : {};
}

/** The Messages API knows no `minimal`. */
export function toEffort(effort: RequestEffort | null | undefined): Effort | undefined {
  if (effort === null || effort === undefined) return undefined;
  return effort === "minimal" ? "low" : effort;
}
